using Gateway.Storage.Failures;

namespace Gateway.Storage.Checksums;

/// <summary>Verifies, while an object is read, that it matches the checksums of the manifest and of storage.</summary>
public sealed class ChecksumVerifier : IDisposable
{
    private readonly byte[]? _expectedSha256;
    private readonly Checksum[] _reported;
    private readonly RunningChecksum[] _running;

    private ChecksumVerifier(byte[]? expectedSha256, ObjectChecksums? reported, bool isHashed)
    {
        (_expectedSha256, _reported) = (expectedSha256, Choose(reported));
        var kinds = _reported.Select(checksum => checksum.Kind);
        _running = [.. (isHashed ? kinds.Append(ChecksumKind.Sha256) : kinds).Distinct().Select(kind => new RunningChecksum(kind))];
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
        foreach (var running in _running)
        {
            running.Append(bytes);
        }
    }

    /// <summary>Called when all bytes have been read: they must match.</summary>
    /// <exception cref="StorageException">They do not.</exception>
    public void Require()
    {
        var computed = Array.ConvertAll(_running, running => new Checksum(running.Kind, running.Finish()));
        Sha256 = Array.Find(computed, checksum => checksum.Kind == ChecksumKind.Sha256).Value;
        if (_reported.Length > 0 && new ObjectChecksums(_reported).Contradict(new ObjectChecksums(computed)))
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
        foreach (var running in _running)
        {
            running.Dispose();
        }
    }

    /// <summary>SHA-256, MD5 and CRC-32 are verified wherever storage reports them. If it reports none of them, the first of the others is
    /// enough, and the CRCs are first because they cost almost nothing.</summary>
    private static Checksum[] Choose(ObjectChecksums? reported)
    {
        Checksum[] all = [.. reported?.All ?? []];
        var common = Array.FindAll(all, checksum => checksum.Kind is ChecksumKind.Sha256 or ChecksumKind.Md5 or ChecksumKind.Crc32);
        return common.Length > 0 ? common : all[..Math.Min(all.Length, 1)];
    }
}
