using Gateway.Storage.Checksums;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Storage.Tests.Checksums;

public class ObjectChecksumsTests
{
    private static readonly byte[] Sha256 = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private static readonly byte[] Md5 = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
    private static readonly string Sha256Text = Convert.ToBase64String(Sha256);
    private static readonly string Md5Text = Convert.ToBase64String(Md5);

    [Fact]
    public void Without_checksums_there_is_nothing_to_compare() => Assert.Null(ObjectChecksums.From(new HeaderDictionary { ["ETag"] = "\"x\"" }));

    [Fact]
    public void Each_header_is_read()
    {
        var checksums = ObjectChecksums.From(new HeaderDictionary
        {
            ["Repr-Digest"] = $"sha-256=:{Sha256Text}:",
            ["Content-MD5"] = Md5Text,
            ["x-amz-checksum-crc32"] = "AAABAg==",
        });

        Assert.Equal(Sha256, checksums!.Sha256);
        Assert.Equal(Md5, checksums.Find(ChecksumKind.Md5));
        Assert.Equal([0, 0, 1, 2], checksums.Find(ChecksumKind.Crc32)!);
    }

    [Theory]
    [InlineData("x-amz-checksum-crc32c", "AAABAg==", ChecksumKind.Crc32C)]
    [InlineData("x-amz-checksum-crc64nvme", "AAAAAAAAAQI=", ChecksumKind.Crc64Nvme)]
    [InlineData("x-amz-checksum-sha1", "AQIDBAUGBwgJCgsMDQ4PEBESExQ=", ChecksumKind.Sha1)]
    [InlineData("x-goog-hash", "crc32c=AAABAg==", ChecksumKind.Crc32C)]
    [InlineData("x-goog-hash", "md5=AQIDBAUGBwgJCgsMDQ4PEA==", ChecksumKind.Md5)]
    [InlineData("x-ms-blob-content-md5", "AQIDBAUGBwgJCgsMDQ4PEA==", ChecksumKind.Md5)]
    public void Each_header_of_a_vendor_is_read(string name, string value, ChecksumKind kind)
    {
        var checksums = ObjectChecksums.From(new HeaderDictionary { [name] = value });

        var checksum = Assert.Single(checksums!.All);
        Assert.Equal((kind, Checksum.GetLength(kind)), (checksum.Kind, checksum.Value.Length));
        Assert.EndsWith(Convert.ToBase64String(checksum.Value), value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("crc32c=AAABAg==,md5=AQIDBAUGBwgJCgsMDQ4PEA==")]
    [InlineData("md5=AQIDBAUGBwgJCgsMDQ4PEA== , crc32c=AAABAg==")]
    [InlineData("md5=AQIDBAUGBwgJCgsMDQ4PEA==", "crc32c=AAABAg==")]
    public void Of_Googles_two_checksums_the_cheap_one_is_enough(params string[] lines)
    {
        var checksums = ObjectChecksums.From(new HeaderDictionary { ["x-goog-hash"] = new StringValues(lines) });

        Assert.Equal(ChecksumKind.Crc32C, Assert.Single(checksums!.All).Kind);
    }

    [Theory]
    [InlineData("gzip", null, false)]
    [InlineData("gzip", "gzip", true)]
    [InlineData("identity", null, true)]
    [InlineData(null, null, true)]
    public void Googles_checksum_is_ignored_if_the_object_was_decompressed_on_the_way(string? stored, string? sent, bool isRead)
    {
        var headers = new HeaderDictionary { ["x-goog-hash"] = "crc32c=AAABAg==", ["x-goog-stored-content-encoding"] = stored, ["Content-Encoding"] = sent };

        Assert.Equal(isRead, ObjectChecksums.From(headers) is not null);
    }

    [Fact]
    public void In_a_part_only_Azures_own_header_covers_the_whole_object()
    {
        var headers = new HeaderDictionary { ["Content-MD5"] = Convert.ToBase64String(new byte[16]), ["x-ms-blob-content-md5"] = Md5Text };

        Assert.Equal(new byte[16], ObjectChecksums.From(headers)!.Find(ChecksumKind.Md5));
        headers["Content-Range"] = "bytes 0-1/10";
        Assert.Equal(Md5, ObjectChecksums.From(headers)!.Find(ChecksumKind.Md5));
        headers.Remove("x-ms-blob-content-md5");
        Assert.Null(ObjectChecksums.From(headers));
    }

    [Theory]
    [InlineData("sha-512=:AAAA:, sha-256=:{0}:")]
    [InlineData("sha-256=:{0}:,md5=:AAAA:")]
    [InlineData("  sha-256=:{0}:  ")]
    public void The_digest_is_found_among_others(string format) =>
        Assert.Equal(Sha256, ObjectChecksums.From(new HeaderDictionary { ["Repr-Digest"] = format.Replace("{0}", Sha256Text, StringComparison.Ordinal) })!.Sha256);

    [Fact]
    public void The_digest_is_found_in_the_second_line_of_the_header() =>
        Assert.Equal(Sha256, ObjectChecksums.From(new HeaderDictionary { ["Repr-Digest"] = new StringValues(["sha-512=:AAAA:", $"sha-256=:{Sha256Text}:"]) })!.Sha256);

    [Theory]
    [InlineData("Repr-Digest", "sha-256=:AAAA:")]
    [InlineData("Repr-Digest", "sha-256=::")]
    [InlineData("Repr-Digest", "sha-256=:")]
    [InlineData("Repr-Digest", "sha-256=AAAA")]
    [InlineData("Repr-Digest", "SHA-256=:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=:")]
    [InlineData("Content-MD5", "AAAA")]
    [InlineData("Content-MD5", "not base64 at all!!!!!!=")]
    [InlineData("x-amz-checksum-crc32", "AAABAgM=")]
    [InlineData("x-amz-checksum-sha256", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=-3")]
    [InlineData("x-amz-checksum-crc32c", "AAABAgM=")]
    [InlineData("x-amz-checksum-crc64nvme", "AAABAg==")]
    [InlineData("x-amz-checksum-sha1", "AAABAg==-2")]
    [InlineData("x-goog-hash", "crc32c")]
    [InlineData("x-goog-hash", "crc32c=")]
    [InlineData("x-goog-hash", "CRC32C=AAABAg==")]
    [InlineData("x-goog-hash", ",,md5=,")]
    [InlineData("x-ms-blob-content-md5", "AAAA")]
    public void An_invalid_checksum_is_ignored(string name, string value) => Assert.Null(ObjectChecksums.From(new HeaderDictionary { [name] = value }));

    [Theory]
    [InlineData("", true)]
    [InlineData("FULL_OBJECT", true)]
    [InlineData("COMPOSITE", false)]
    public void A_checksum_of_the_parts_checksums_is_ignored(string type, bool isRead)
    {
        var checksums = ObjectChecksums.From(new HeaderDictionary
        {
            ["x-amz-checksum-type"] = type,
            ["x-amz-checksum-sha256"] = Sha256Text,
            ["x-amz-checksum-crc32"] = "AAABAg==",
            ["x-amz-checksum-crc32c"] = "AAABAg==",
            ["x-amz-checksum-crc64nvme"] = "AAAAAAAAAQI=",
            ["x-amz-checksum-sha1"] = "AQIDBAUGBwgJCgsMDQ4PEBESExQ=",
            ["Content-MD5"] = Md5Text,
        });

        Assert.Equal(isRead ? 6 : 1, checksums!.All.Count);
        Assert.Equal(isRead, checksums.Sha256 is not null);
        Assert.Equal(Md5, checksums.Find(ChecksumKind.Md5));
    }

    [Fact]
    public void The_standard_digest_comes_before_that_of_S3()
    {
        var headers = new HeaderDictionary { ["Repr-Digest"] = $"sha-256=:{Sha256Text}:", ["x-amz-checksum-sha256"] = Convert.ToBase64String(new byte[32]) };

        Assert.Equal(Sha256, ObjectChecksums.From(headers)!.Sha256);
    }

    [Fact]
    public void Checksums_contradict_each_other_only_if_both_have_the_same_kind_and_differ()
    {
        var all = Of((ChecksumKind.Sha256, Sha256), (ChecksumKind.Md5, Md5), (ChecksumKind.Crc32, [0, 0, 0, 1]));

        Assert.False(all.Contradict(null));
        Assert.False(all.Contradict(Of((ChecksumKind.Crc32, [0, 0, 0, 1]), (ChecksumKind.Sha256, [.. Sha256]), (ChecksumKind.Md5, [.. Md5]))));
        Assert.False(Of((ChecksumKind.Sha256, Sha256)).Contradict(Of((ChecksumKind.Md5, Md5), (ChecksumKind.Crc32, [0, 0, 0, 2]))));
        Assert.False(all.Contradict(Of((ChecksumKind.Crc32C, [0, 0, 0, 2]))));
        Assert.True(all.Contradict(Of((ChecksumKind.Sha256, new byte[32]))));
        Assert.True(all.Contradict(Of((ChecksumKind.Md5, new byte[16]))));
        Assert.True(all.Contradict(Of((ChecksumKind.Md5, Md5), (ChecksumKind.Crc32, [0, 0, 0, 2]))));
    }

    private static ObjectChecksums Of(params (ChecksumKind Kind, byte[] Value)[] all) => new([.. all.Select(one => new Checksum(one.Kind, one.Value))]);
}
