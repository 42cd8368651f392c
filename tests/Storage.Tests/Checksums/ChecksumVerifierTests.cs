using System.IO.Hashing;
using System.Security.Cryptography;
using Gateway.Storage.Checksums;
using Gateway.Storage.Failures;

namespace Storage.Tests.Checksums;

public class ChecksumVerifierTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 5000).Select(i => (byte)i)];
    private static readonly byte[] Sha256 = SHA256.HashData(Content);
    private static readonly byte[] Md5 = HashMd5();
    private static readonly byte[] Crc = [.. Crc32.Hash(Content).Reverse()];
    private static readonly byte[] Other = new byte[32];

    [Fact]
    public void Without_anything_to_verify_there_is_no_verifier() => Assert.Null(ChecksumVerifier.Create(null, null));

    [Fact]
    public void An_object_that_matches_every_checksum_is_accepted_and_its_hash_is_known()
    {
        using var verifier = ChecksumVerifier.CreateHashing(Sha256, Of((ChecksumKind.Sha256, Sha256), (ChecksumKind.Md5, Md5), (ChecksumKind.Crc32, Crc)));

        verifier.Append(Content.AsSpan(..17));
        verifier.Append([]);
        verifier.Append(Content.AsSpan(17..));
        Assert.Null(verifier.Sha256);
        verifier.Require();

        Assert.Equal(Sha256, verifier.Sha256);
    }

    [Theory]
    [InlineData(ChecksumKind.Sha256)]
    [InlineData(ChecksumKind.Md5)]
    [InlineData(ChecksumKind.Crc32)]
    [InlineData(ChecksumKind.Crc64Nvme)]
    [InlineData(ChecksumKind.Crc32C)]
    [InlineData(ChecksumKind.Sha1)]
    public void Each_checksum_of_storage_is_verified_on_its_own(ChecksumKind kind)
    {
        using var verifier = ChecksumVerifier.Create(null, Of((kind, Other[..Checksum.GetLength(kind)])))!;
        verifier.Append(Content);

        var failure = Assert.Throws<StorageException>(verifier.Require);

        Assert.Equal((FailureReason.ChecksumDiffers, "The object does not match the checksum that storage reported."), (failure.Reason, failure.Message));
    }

    // The check values of the catalogue of CRC algorithms, and of RFC 1321, RFC 3174 and FIPS 180: those of "123456789".
    [Theory]
    [InlineData(ChecksumKind.Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225")]
    [InlineData(ChecksumKind.Md5, "25f9e794323b453885f5181f1b624d0b")]
    [InlineData(ChecksumKind.Crc32, "cbf43926")]
    [InlineData(ChecksumKind.Crc64Nvme, "ae8b14860a799888")]
    [InlineData(ChecksumKind.Crc32C, "e3069283")]
    [InlineData(ChecksumKind.Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441")]
    public void Each_checksum_is_that_of_its_specification(ChecksumKind kind, string value)
    {
        using var verifier = ChecksumVerifier.Create(null, Of((kind, Convert.FromHexString(value))))!;

        verifier.Append("1234"u8);
        verifier.Append("56789"u8);

        verifier.Require();
    }

    [Fact]
    public void Of_the_other_checksums_the_first_is_enough()
    {
        using var first = ChecksumVerifier.Create(null, Of((ChecksumKind.Crc64Nvme, Convert.FromHexString("ae8b14860a799888")), (ChecksumKind.Sha1, Other[..20])))!;
        using var common = ChecksumVerifier.Create(null, Of((ChecksumKind.Md5, Md5), (ChecksumKind.Crc32C, Other[..4])))!;
        first.Append("123456789"u8);
        common.Append(Content);

        first.Require();
        common.Require();
    }

    [Fact]
    public void A_hash_of_the_manifest_that_differs_is_reported_as_such()
    {
        using var verifier = ChecksumVerifier.Create(Other, null)!;
        verifier.Append(Content);

        var failure = Assert.Throws<StorageException>(verifier.Require);

        Assert.Equal((FailureReason.ChecksumDiffers, "The object's SHA-256 differs from the manifest's."), (failure.Reason, failure.Message));
    }

    [Fact]
    public void If_both_differ_storage_is_blamed_for_its_own_checksum()
    {
        using var verifier = ChecksumVerifier.Create(Other, Of((ChecksumKind.Crc32, Other[..4])))!;
        verifier.Append(Content);

        Assert.Equal("The object does not match the checksum that storage reported.", Assert.Throws<StorageException>(verifier.Require).Message);
    }

    [Fact]
    public void The_hash_is_not_computed_unless_someone_needs_it()
    {
        using var verifier = ChecksumVerifier.Create(null, Of((ChecksumKind.Md5, Md5)))!;
        verifier.Append(Content);

        verifier.Require();

        Assert.Null(verifier.Sha256);
    }

    [Fact]
    public void An_empty_object_has_the_hash_of_nothing()
    {
        using var verifier = ChecksumVerifier.CreateHashing(null, null);

        verifier.Require();

        Assert.Equal(SHA256.HashData([]), verifier.Sha256);
    }

    private static ObjectChecksums Of(params (ChecksumKind Kind, byte[] Value)[] all) => new([.. all.Select(one => new Checksum(one.Kind, one.Value))]);

    private static byte[] HashMd5()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        hash.AppendData(Content);
        return hash.GetHashAndReset();
    }
}
