using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;

namespace Gateway.Storage.Checksums;

/// <summary>A checksum that is computed while an object is read.</summary>
internal sealed class RunningChecksum : IDisposable
{
    private readonly IncrementalHash? _hash;
    private readonly Crc32? _crc32;
    private readonly Crc64? _crc64;

    public RunningChecksum(ChecksumKind kind)
    {
        Kind = kind;
        switch (kind)
        {
            case ChecksumKind.Crc32:
                _crc32 = new Crc32();
                break;
            case ChecksumKind.Crc32C:
                _crc32 = new Crc32(Crc32ParameterSet.Crc32C);
                break;
            case ChecksumKind.Crc64Nvme:
                _crc64 = new Crc64(Crc64ParameterSet.Nvme);
                break;
            default:
                _hash = IncrementalHash.CreateHash(kind switch
                {
                    ChecksumKind.Md5 => HashAlgorithmName.MD5,
                    ChecksumKind.Sha1 => HashAlgorithmName.SHA1,
                    _ => HashAlgorithmName.SHA256,
                });
                break;
        }
    }

    public ChecksumKind Kind { get; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _hash?.AppendData(bytes);
        _crc32?.Append(bytes);
        _crc64?.Append(bytes);
    }

    /// <summary>The checksum of all bytes. Called once.</summary>
    public byte[] Finish()
    {
        if (_hash is not null)
        {
            return _hash.GetHashAndReset();
        }

        var value = new byte[Checksum.GetLength(Kind)];
        if (_crc64 is not null)
        {
            BinaryPrimitives.WriteUInt64BigEndian(value, _crc64.GetCurrentHashAsUInt64());
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(value, _crc32!.GetCurrentHashAsUInt32());
        }

        return value;
    }

    public void Dispose() => _hash?.Dispose();
}
