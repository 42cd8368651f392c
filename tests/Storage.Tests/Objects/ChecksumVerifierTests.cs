using System.IO.Hashing;
using System.Security.Cryptography;
using Gateway.Storage.Failures;
using Gateway.Storage.Objects;

namespace Storage.Tests.Objects;

public class ChecksumVerifierTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 5000).Select(i => (byte)i)];
    private static readonly byte[] Sha256 = SHA256.HashData(Content);
    private static readonly byte[] Md5 = HashMd5();
    private static readonly uint Crc = Crc32.HashToUInt32(Content);
    private static readonly byte[] Other = new byte[32];

    [Fact]
    public void Without_anything_to_verify_there_is_no_verifier() => Assert.Null(ChecksumVerifier.Create(null, null));

    [Fact]
    public void An_object_that_matches_every_checksum_is_accepted_and_its_hash_is_known()
    {
        using var verifier = ChecksumVerifier.CreateHashing(Sha256, new ObjectChecksums(Sha256, Md5, Crc));

        verifier.Append(Content.AsSpan(..17));
        verifier.Append([]);
        verifier.Append(Content.AsSpan(17..));
        Assert.Null(verifier.Sha256);
        verifier.Require();

        Assert.Equal(Sha256, verifier.Sha256);
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    public void Each_checksum_of_storage_is_verified_on_its_own(bool hasSha256, bool hasMd5, bool hasCrc)
    {
        var said = new ObjectChecksums(hasSha256 ? Other : null, hasMd5 ? Other[..16] : null, hasCrc ? 1u : null);
        using var verifier = ChecksumVerifier.Create(null, said)!;
        verifier.Append(Content);

        var failure = Assert.Throws<StorageException>(verifier.Require);

        Assert.Equal((FailureReason.ChecksumDiffers, "The object does not match the checksum that storage reported."), (failure.Reason, failure.Message));
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
        using var verifier = ChecksumVerifier.Create(Other, new ObjectChecksums(null, null, 1))!;
        verifier.Append(Content);

        Assert.Equal("The object does not match the checksum that storage reported.", Assert.Throws<StorageException>(verifier.Require).Message);
    }

    [Fact]
    public void The_hash_is_not_computed_unless_someone_needs_it()
    {
        using var verifier = ChecksumVerifier.Create(null, new ObjectChecksums(null, Md5, null))!;
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

    private static byte[] HashMd5()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        hash.AppendData(Content);
        return hash.GetHashAndReset();
    }
}
