using Gateway.Storage.Objects;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Storage.Tests.Objects;

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
        Assert.Equal(Md5, checksums.Md5);
        Assert.Equal(0x00000102u, checksums.Crc32);
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
            ["Content-MD5"] = Md5Text,
        });

        Assert.Equal(isRead, checksums!.Sha256 is not null);
        Assert.Equal(isRead, checksums.Crc32 is not null);
        Assert.Equal(Md5, checksums.Md5);
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
        var all = new ObjectChecksums(Sha256, Md5, 1);

        Assert.False(all.Contradict(null));
        Assert.False(all.Contradict(new ObjectChecksums([.. Sha256], [.. Md5], 1)));
        Assert.False(new ObjectChecksums(Sha256, null, null).Contradict(new ObjectChecksums(null, Md5, 2)));
        Assert.True(all.Contradict(new ObjectChecksums(new byte[32], null, null)));
        Assert.True(all.Contradict(new ObjectChecksums(null, new byte[16], null)));
        Assert.True(all.Contradict(new ObjectChecksums(null, null, 2)));
    }
}
