using System.IO.Hashing;
using System.Security.Cryptography;
using Gateway.Storage.Failures;

namespace Gateway.Storage.Objects;

/// <summary>Verifies, while an object is read, that it matches the checksums of the manifest and of storage.</summary>
public sealed class ChecksumVerifier : IDisposable
{
    private readonly byte[]? _expectedSha256;
    private readonly ObjectChecksums? _reported;
    private readonly IncrementalHash? _sha256;
    private readonly IncrementalHash? _md5;
    private readonly Crc32? _crc32;

    private ChecksumVerifier(byte[]? expectedSha256, ObjectChecksums? reported, bool isHashed)
    {
        (_expectedSha256, _reported) = (expectedSha256, reported);
        _sha256 = isHashed || reported?.Sha256 is not null ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        _md5 = reported?.Md5 is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        _crc32 = reported?.Crc32 is null ? null : new Crc32();
    }

    /// <summary>The object's SHA-256 after <see cref="Require"/>, if it was requested.</summary>
    public byte[]? Sha256 { get; private set; }

    /// <summary>Verifies what is stated of an object.</summary>
    /// <param name="expectedSha256">What its SHA-256 must be, or null.</param>
    /// <param name="reported">What storage reported of it.</param>
    /// <returns>Null when there is nothing to verify.</returns>
    public static ChecksumVerifier? Create(byte[]? expectedSha256, ObjectChecksums? reported) =>
        expectedSha256 is null && reported is null ? null : new ChecksumVerifier(expectedSha256, reported, isHashed: expectedSha256 is not null);

    /// <summary>The same; the SHA-256 is computed in any case.</summary>
    public static ChecksumVerifier CreateHashing(byte[]? expectedSha256, ObjectChecksums? reported) => new(expectedSha256, reported, isHashed: true);

    /// <summary>Adds the next bytes of the object.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        _sha256?.AppendData(bytes);
        _md5?.AppendData(bytes);
        _crc32?.Append(bytes);
    }

    /// <summary>Called when all bytes have been read: they must match.</summary>
    /// <exception cref="StorageException">They do not.</exception>
    public void Require()
    {
        Sha256 = _sha256?.GetHashAndReset();
        if ((_reported?.Sha256 is { } sha256 && !sha256.AsSpan().SequenceEqual(Sha256))
            || (_reported?.Md5 is { } md5 && !md5.AsSpan().SequenceEqual(_md5!.GetHashAndReset()))
            || (_reported?.Crc32 is { } crc32 && crc32 != _crc32!.GetCurrentHashAsUInt32()))
        {
            throw new StorageException(FailureReason.ChecksumDiffers, "The object does not match the checksum that storage reported.");
        }

        if (_expectedSha256 is not null && !_expectedSha256.AsSpan().SequenceEqual(Sha256))
        {
            throw new StorageException(FailureReason.ChecksumDiffers, "The object's SHA-256 differs from the manifest's.");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _sha256?.Dispose();
        _md5?.Dispose();
    }
}
