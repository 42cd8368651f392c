using System.IO.Hashing;
using System.Security.Cryptography;
using Gateway.Storage.Failures;

namespace Gateway.Storage.Objects;

/// <summary>Looks, while an object passes by, whether it is what the manifest and storage itself say.</summary>
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

    /// <summary>The object's SHA-256 after <see cref="Require"/>, where it was wanted.</summary>
    public byte[]? Sha256 { get; private set; }

    /// <param name="wanted">What the SHA-256 must be, or null.</param>
    /// <param name="said">What storage said of the object.</param>
    /// <param name="isHashed">Whether the SHA-256 is asked for.</param>
    /// <returns>Null when there is nothing to look at.</returns>
    public static ChecksumVerifier? Create(byte[]? wanted, ObjectChecksums? said, bool isHashed) =>
        wanted is null && said is null && !isHashed ? null : new ChecksumVerifier(wanted, said, isHashed || wanted is not null);

    /// <summary>Adds the next bytes of the object.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        _sha256?.AppendData(bytes);
        _md5?.AppendData(bytes);
        _crc32?.Append(bytes);
    }

    /// <summary>All bytes have been seen; they must be what was said.</summary>
    /// <exception cref="StorageException">They are not.</exception>
    public void Require()
    {
        Sha256 = _sha256?.GetHashAndReset();
        if ((_said?.Sha256 is { } sha256 && !sha256.AsSpan().SequenceEqual(Sha256))
            || (_said?.Md5 is { } md5 && !md5.AsSpan().SequenceEqual(_md5!.GetHashAndReset()))
            || (_said?.Crc32 is { } crc32 && crc32 != _crc32!.GetCurrentHashAsUInt32()))
        {
            throw new StorageException(FailureReason.ChecksumDiffers, "The object does not have the checksum that storage reported.");
        }

        if (_wanted is not null && !_wanted.AsSpan().SequenceEqual(Sha256))
        {
            throw new StorageException(FailureReason.ChecksumDiffers, "The object has another SHA-256 than the manifest states.");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _sha256?.Dispose();
        _md5?.Dispose();
    }
}
