using System.IO.Hashing;
using System.Security.Cryptography;
using Gateway.Storage.Failures;

namespace Gateway.Storage.Objects;

/// <summary>Verifies, while an object is read, that it matches the checksums of the manifest and of storage.</summary>
public sealed class ChecksumVerifier : IDisposable
{
    private readonly byte[]? _wanted;
    private readonly ObjectChecksums? _said;
    private readonly IncrementalHash? _sha256;
    private readonly IncrementalHash? _md5;
    private readonly Crc32? _crc32;

    private ChecksumVerifier(byte[]? wanted, ObjectChecksums? said, bool isHashed)
    {
        (_wanted, _said) = (wanted, said);
        _sha256 = isHashed || said?.Sha256 is not null ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        _md5 = said?.Md5 is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        _crc32 = said?.Crc32 is null ? null : new Crc32();
    }

    /// <summary>The object's SHA-256 after <see cref="Require"/>, if it was requested.</summary>
    public byte[]? Sha256 { get; private set; }

    /// <param name="wanted">The expected SHA-256, or null.</param>
    /// <param name="said">What storage reported about the object.</param>
    /// <param name="isHashed">Whether the SHA-256 is needed.</param>
    /// <returns>Null if there is nothing to verify.</returns>
    public static ChecksumVerifier? Create(byte[]? wanted, ObjectChecksums? said, bool isHashed) =>
        wanted is null && said is null && !isHashed ? null : new ChecksumVerifier(wanted, said, isHashed || wanted is not null);

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
        if ((_said?.Sha256 is { } sha256 && !sha256.AsSpan().SequenceEqual(Sha256))
            || (_said?.Md5 is { } md5 && !md5.AsSpan().SequenceEqual(_md5!.GetHashAndReset()))
            || (_said?.Crc32 is { } crc32 && crc32 != _crc32!.GetCurrentHashAsUInt32()))
        {
            throw new StorageException(FailureReason.ChecksumDiffers, "The object does not match the checksum that storage reported.");
        }

        if (_wanted is not null && !_wanted.AsSpan().SequenceEqual(Sha256))
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
