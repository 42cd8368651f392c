using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Gateway.Archiving.Resuming;
using Gateway.Resuming;

namespace Gateway.Tests.Resuming;

public class ResumeStateTests
{
    private const long SegmentLength = 256 << 20;
    private static readonly ArchiveLayout Layout = ArchiveLayout.Create(new ArchiveRecipe(ArchiveFormat.TarGz), [new ArchiveEntry("n", 3 * SegmentLength, DateTimeOffset.UnixEpoch)]);
    private static readonly ArchiveIdentity Archive = new("\"x\"", Layout, false);

    private readonly List<ResumeState> _changes = [];
    private readonly ResumeState _state;

    public ResumeStateTests() => _state = new ResumeState(Archive, _changes.Add);

    [Fact]
    public void A_new_state_knows_nothing()
    {
        Assert.Equal(("\"x\"", Layout, null, false), (_state.ETag, _state.Layout, _state.End, _state.IsDoubted));
        Assert.Null(_state.GetHash(0));

        Assert.Equal(([], null), _state.TakeUnpublished());
    }

    [Fact]
    public void Hashes_are_known_by_entry()
    {
        _state.AddHash(2, [1]);
        _state.AddHash(5, [2]);

        Assert.Equal([1], _state.GetHash(2)!);
        Assert.Equal([2], _state.GetHash(5)!);
        Assert.Null(_state.GetHash(0));
    }

    [Fact]
    public void The_end_is_published_once_with_the_last_two_segments()
    {
        _state.SetEnd(100, null);

        Assert.Same(_state, Assert.Single(_changes));
        var (segments, end) = _state.TakeUnpublished();
        Assert.Equal([2, 3], segments.Order());
        Assert.Equal(new(100, null), end);
        Assert.Equal(([], null), _state.TakeUnpublished());
    }

    [Fact]
    public void The_same_end_again_is_nothing_new_but_a_hash_is()
    {
        _state.SetEnd(100, null);
        _state.TakeUnpublished();

        _state.SetEnd(100, null);
        Assert.Single(_changes);
        _state.SetEnd(100, [1]);

        Assert.Equal(2, _changes.Count);
        Assert.Equal([1], _state.TakeUnpublished().End!.Sha256!);
    }

    [Fact]
    public void An_end_without_a_hash_does_not_forget_the_hash_of_the_same_length()
    {
        _state.SetEnd(100, [1]);

        _state.SetEnd(100, null);
        Assert.Equal([1], _state.End!.Sha256!);
        _state.SetEnd(101, null);

        Assert.Equal(new(101, null), _state.End);
    }

    [Fact]
    public void What_another_replica_reports_does_not_replace_what_is_known_here_and_is_not_published()
    {
        _state.LearnEnd(new ArchiveEnd(100, [1], IsHashFromReplica: true));
        _state.LearnEnd(new ArchiveEnd(200, null));

        Assert.Equal(100, _state.End!.Length);
        Assert.Empty(_changes);
        Assert.Equal(([], null), _state.TakeUnpublished());
    }

    [Fact]
    public void What_was_learned_from_a_replica_is_not_published_again()
    {
        _state.Checkpoints.Add(new Checkpoint(CheckpointIndex.Interval, 1, 0, 0));

        Assert.Empty(_changes);
        Assert.Empty(_state.TakeUnpublished().Segments);
    }

    [Fact]
    public void Only_one_caller_publishes_at_a_time_until_nothing_is_left()
    {
        _state.SetEnd(100, null);
        Assert.True(_state.TryBeginPublishing());
        Assert.False(_state.TryBeginPublishing());

        Assert.NotNull(_state.TakeUnpublished().End);
        Assert.False(_state.TryBeginPublishing());
        Assert.Null(_state.TakeUnpublished().End);

        Assert.True(_state.TryBeginPublishing());
    }

    [Fact]
    public void After_a_failure_another_caller_may_publish()
    {
        _state.TryBeginPublishing();

        _state.StopPublishing();

        Assert.True(_state.TryBeginPublishing());
    }

    [Fact]
    public void A_state_that_was_forgotten_has_no_end_and_is_never_published()
    {
        _state.SetEnd(100, null);

        _state.Forget();

        Assert.Null(_state.End);
        Assert.False(_state.TryBeginPublishing());
        Assert.Equal(([], null), _state.TakeUnpublished());
    }

    [Fact]
    public void Without_a_layout_there_are_no_segments_to_publish()
    {
        var state = new ResumeState(new ArchiveIdentity("\"x\"", null, false), null);

        state.SetEnd(100, null);

        var (segments, end) = state.TakeUnpublished();
        Assert.Empty(segments);
        Assert.Equal(100, end!.Length);
    }
}
