using Gateway.Storage.Checksums;
using Gateway.Storage.Failures;
using Gateway.Storage.Objects;

namespace Storage.Tests.Objects;

/// <summary>What was planned of an object, and what is read later.</summary>
public class ObjectHeadPlanTests
{
    private static readonly ObjectChecksums Checksums = new([new Checksum(ChecksumKind.Crc32, [0, 0, 0, 1])]);
    private static readonly ObjectHead Planned = new(10, "\"v1\"", DateTimeOffset.UnixEpoch, Checksums) { Encoding = "gzip" };

    [Fact]
    public void The_planned_object_is_accepted_and_so_is_any_object_if_nothing_was_planned()
    {
        Planned.RequirePlanned(Planned);
        Planned.RequirePlanned(null);
        (Planned with { Size = null, Checksums = null }).RequirePlanned(Planned);
        (Planned with { Modified = DateTimeOffset.MaxValue }).RequirePlanned(Planned);

        Assert.True(Planned.IsSameAs(Planned));
    }

    public static TheoryData<string, string, string> Differences => new()
    {
        { "etag-lost", nameof(FailureReason.VersionUnknown), "Storage sent a response without a strong ETag, so its version is not known." },
        { "etag", nameof(FailureReason.ObjectChanged), "The object changed while it was read." },
        { "size", nameof(FailureReason.SizeDiffers), "Storage has 11 bytes; 10 were declared." },
        { "encoding", nameof(FailureReason.ObjectChanged), "Storage reports a different Content-Encoding for the same version than before." },
        { "checksum", nameof(FailureReason.ChecksumDiffers), "Storage reports a different checksum for the same version than before." },
    };

    [Theory]
    [MemberData(nameof(Differences))]
    public void An_object_that_differs_from_the_plan_is_rejected(string difference, string reason, string message)
    {
        var failure = Assert.Throws<StorageException>(() => With(difference).RequirePlanned(Planned));

        Assert.Equal((reason, message), (failure.Reason.Name, failure.Message));
    }

    [Theory]
    [InlineData("etag-lost", "HEAD returns an ETag for the object; GET returns none.")]
    [InlineData("etag", "HEAD and GET return different ETags (\"v1\" and \"v2\"), or the object changed in between.")]
    [InlineData("size", "HEAD reports 10 bytes, GET reports 11.")]
    [InlineData("encoding", "HEAD and GET report different content codings of the object.")]
    [InlineData("checksum", "HEAD and GET report different checksums of the object.")]
    public void If_the_plan_comes_from_HEAD_the_failure_names_both_methods(string difference, string message) =>
        Assert.Equal(message, Assert.Throws<StorageException>(() => With(difference).RequirePlanned(Planned with { IsFromHead = true })).Message);

    [Fact]
    public void A_long_ETag_is_shortened_in_a_message()
    {
        var tag = $"\"{new string('a', 100)}\"";

        var failure = Assert.Throws<StorageException>(() => Planned.RequirePlanned(Planned with { ETag = tag, IsFromHead = true }));

        Assert.Contains($"({tag[..64]}… and \"v1\")", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HEAD_may_leave_out_the_coding_and_a_manifest_states_none()
    {
        Planned.RequirePlanned(Planned with { Encoding = null, IsFromHead = true });
        Planned.RequirePlanned(new ObjectHead(10, "\"v1\"", DateTimeOffset.UnixEpoch) { IsDeclared = true });

        Assert.Throws<StorageException>(() => Planned.RequirePlanned(Planned with { Encoding = null }));
    }

    [Theory]
    [InlineData("etag")]
    [InlineData("etag-lost")]
    [InlineData("size")]
    [InlineData("encoding")]
    [InlineData("checksum")]
    [InlineData("modified")]
    public void HEAD_and_GET_describe_the_same_version_only_if_they_agree_in_everything(string difference) => Assert.False(Planned.IsSameAs(With(difference)));

    [Fact]
    public void A_size_that_one_of_them_leaves_out_is_no_difference()
    {
        Assert.True(Planned.IsSameAs(Planned with { Size = null }));
        Assert.True((Planned with { Size = null }).IsSameAs(Planned));
    }

    [Fact]
    public void A_decoded_object_keeps_its_version_but_not_the_checksums_of_the_stored_bytes()
    {
        var decoded = (Planned with { IsFromHead = true }).Decoded(99);

        Assert.Equal((99, "\"v1\"", null, false), (decoded.Size, decoded.ETag, decoded.Checksums, decoded.IsFromHead));
        Assert.Equal((10L, Checksums), (decoded.Stored!.Size!.Value, decoded.Stored.Checksums));
    }

    private static ObjectHead With(string difference) => difference switch
    {
        "etag-lost" => Planned with { ETag = null },
        "etag" => Planned with { ETag = "\"v2\"" },
        "size" => Planned with { Size = 11 },
        "encoding" => Planned with { Encoding = "br" },
        "checksum" => Planned with { Checksums = new ObjectChecksums([new Checksum(ChecksumKind.Crc32, [0, 0, 0, 2])]) },
        "modified" => Planned with { Modified = DateTimeOffset.UnixEpoch.AddSeconds(1) },
        _ => throw new ArgumentOutOfRangeException(nameof(difference), difference, "Unknown difference."),
    };
}
