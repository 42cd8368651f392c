using System.IO.Pipelines;
using CsCheck;
using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Gateway.Resuming;

namespace Gateway.Tests.Resuming;

public class CheckpointSegmentTests
{
    private const int SegmentLength = 256 << 20;
    private static readonly byte[] Body = new byte[1 << 20];

    [Fact]
    public async Task Everything_recorded_survives_a_round_trip_including_segment_boundaries()
    {
        var entries = Enumerable.Range(0, 600).Select(i => new ArchiveEntry($"n{i}", Body.Length, DateTimeOffset.UnixEpoch)).ToArray();
        var layout = ArchiveLayout.Create(new ArchiveRecipe(ArchiveFormat.Zip, Compression.Store), entries);
        var told = new Dictionary<long, byte[]>();
        var known = new ResumeState(new("\"x\"", layout, false), archive =>
        {
            foreach (var number in archive.TakeUnpublished().Segments)
            {
                told[number] = CheckpointSegment.Write(archive, number);
            }
        });
        await MakeAsync(known);
        known.SetEnd(layout.Length!.Value, null);

        var other = new ResumeState(new("\"x\"", layout, false), null);
        foreach (var segment in told.Values)
        {
            Assert.NotNull(CheckpointSegment.Read(segment, other));
        }

        Assert.All(Enumerable.Range(0, entries.Length), entry => Assert.Equal(known.Checkpoints.FindResult(entry), other.Checkpoints.FindResult(entry)));
        Assert.Equal(known.Checkpoints.Between(0, long.MaxValue), other.Checkpoints.Between(0, long.MaxValue));
        Assert.InRange(layout.FindResumePoint(other.Checkpoints, layout.GetStart(590), null).Place.PlainOffset, layout.GetStart(585), layout.GetStart(590));
    }

    [Fact]
    public async Task A_checkpoint_at_the_very_end_of_a_segment_belongs_to_it()
    {
        // Exactly 256 MiB with its header and two zero blocks.
        var layout = ArchiveLayout.Create(new ArchiveRecipe(ArchiveFormat.TarGz), [new ArchiveEntry("n", SegmentLength - 512 - 1024, DateTimeOffset.UnixEpoch)]);
        Assert.Equal(SegmentLength, layout.PlainLength);
        var known = new ResumeState(new("\"x\"", layout, false), null);
        await MakeAsync(known);

        var (segments, _) = known.TakeUnpublished();

        Assert.Equal([0], segments);
        var other = new ResumeState(new("\"x\"", layout, false), null);
        CheckpointSegment.Read(CheckpointSegment.Write(known, 0), other);
        Assert.Equal(SegmentLength, other.Checkpoints.Between(0, long.MaxValue)[^1].PlainOffset);
    }

    [Fact]
    public void Any_bytes_in_the_cache_are_a_valid_segment_or_ignored()
    {
        var layout = ArchiveLayout.Create(new ArchiveRecipe(ArchiveFormat.Zip), [new ArchiveEntry("n", 50 << 20, DateTimeOffset.UnixEpoch)]);
        Gen.OneOf(Gen.Byte.Array[0, 200], Gen.Select(Gen.Int[0, 3], Gen.Byte.Array[0, 200], (count, bytes) => (byte[])[.. BitConverter.GetBytes(count), .. bytes])).Sample(bytes =>
        {
            var known = new ResumeState(new("\"x\"", layout, false), null);
            CheckpointSegment.Read(bytes, known);
            return known.Checkpoints.Between(long.MinValue, long.MaxValue).All(place => place is { PlainOffset: > 0, Offset: > 0 } && place.PlainOffset <= layout.PlainLength && place.Offset <= layout.MaxLength)
                && layout.FindResumePoint(known.Checkpoints, 40 << 20, null).Place.Offset <= 40 << 20;
        });
    }

    [Fact]
    public void An_end_from_another_replica_is_replaced_by_the_local_result()
    {
        var known = new ResumeState(new("\"x\"", null, false), null);
        known.LearnEnd(new ArchiveEnd(100, [1], IsHashFromReplica: true));

        known.SetEnd(100, null);
        Assert.True(known.End is { Length: 100, Sha256: [1], IsHashFromReplica: true });
        known.SetEnd(100, [1]);
        Assert.True(known.End is { Length: 100, Sha256: [1], IsHashFromReplica: false });

        // The hash belonged to another length.
        known.SetEnd(101, null);
        Assert.True(known.End is { Length: 101, Sha256: null });
    }

    private static async Task MakeAsync(ResumeState known)
    {
        var layout = known.Layout!;
        var writer = ArchiveWriter.Continue(layout, PipeWriter.Create(Stream.Null), default, 1, known.Checkpoints);
        foreach (var entry in layout.Entries)
        {
            writer.StartEntry(entry);
            for (var rest = entry.Size; rest > 0; rest -= Math.Min(rest, Body.Length))
            {
                await writer.WriteAsync(Body.AsMemory(0, (int)Math.Min(rest, Body.Length)));
            }

            writer.EndEntry();
            await writer.FlushAsync();
        }

        await writer.FinishAsync();
        writer.Complete();
    }
}
