using System.Buffers.Binary;
using System.IO.Compression;

namespace Gateway.Links;

/// <summary>A valid link. Its manifest is decompressed only by <see cref="Unpack"/>.</summary>
internal sealed class BundleLink
{
    /// <summary>Maximum bytes of a manifest: the same as for the body of a POST.</summary>
    public const int MaxManifestBytes = 8 << 20;

    /// <summary>Maximum bytes of a packed manifest: incompressible ones become a little longer.</summary>
    public const int MaxPackedBytes = MaxManifestBytes + (64 << 10);

    private const int HeaderLength = 1 + sizeof(int);
    private const int ETagLength = 16;
    private const byte CarriesRightsFlag = 1;
    private const byte PinnedFlag = 2;

    private readonly ReadOnlyMemory<byte> _brotli;

    private BundleLink(ReadOnlyMemory<byte> brotli, int maxContentBytes, bool carriesRights, string? etag) =>
        (_brotli, MaxContentBytes, CarriesRights, ETag) = (brotli, maxContentBytes, carriesRights, etag);

    /// <summary>Maximum bytes that <see cref="Unpack"/> returns.</summary>
    public int MaxContentBytes { get; }

    /// <summary>Whether it gives its creator's rights to any client that has it.</summary>
    public bool CarriesRights { get; }

    /// <summary>The ETag of the bundle that it is pinned to, with its quotes; null if it is not pinned.</summary>
    public string? ETag { get; }

    /// <summary>Packs a manifest: flags, its length (little-endian), the ETag if it is pinned, and its bytes compressed with Brotli.</summary>
    /// <param name="manifest">What the link represents.</param>
    /// <param name="carriesRights">Whether it gives its creator's rights.</param>
    /// <param name="etag">32 hexadecimal digits in quotes, or null.</param>
    public static byte[] Pack(ReadOnlySpan<byte> manifest, bool carriesRights, string? etag)
    {
        using var packed = new MemoryStream();
        Span<byte> header = stackalloc byte[HeaderLength];
        header[0] = (byte)((carriesRights ? CarriesRightsFlag : 0) | (etag is null ? 0 : PinnedFlag));
        BinaryPrimitives.WriteInt32LittleEndian(header[1..], manifest.Length);
        packed.Write(header);
        if (etag is not null)
        {
            packed.Write(Convert.FromHexString(etag.AsSpan(1, 2 * ETagLength)));
        }

        using (var brotli = new BrotliStream(packed, CompressionLevel.Optimal))
        {
            brotli.Write(manifest);
        }

        return packed.ToArray();
    }

    /// <summary>Parses the output of <see cref="Pack"/> without decompressing it.</summary>
    /// <param name="packed">Signed by the gateway.</param>
    /// <param name="mayCarryRights">Whether the operator currently permits it.</param>
    /// <returns>Null if it is something else.</returns>
    public static BundleLink? From(byte[] packed, bool mayCarryRights)
    {
        if (packed is not [<= (CarriesRightsFlag | PinnedFlag) and var flags, ..])
        {
            return null;
        }

        var isPinned = (flags & PinnedFlag) != 0;
        var start = HeaderLength + (isPinned ? ETagLength : 0);
        return packed.Length > start && BinaryPrimitives.ReadInt32LittleEndian(packed.AsSpan(1)) is > 0 and <= MaxManifestBytes and var length
            ? new BundleLink(
                packed.AsMemory(start),
                length,
                mayCarryRights && (flags & CarriesRightsFlag) != 0,
                isPinned ? $"\"{Convert.ToHexStringLower(packed.AsSpan(HeaderLength, ETagLength))}\"" : null)
            : null;
    }

    /// <summary>A link of an earlier version. It has no header and does not expire with its creator's rights, so it gives none.</summary>
    public static BundleLink FromVersion1(byte[] brotli) => new(brotli, MaxManifestBytes, carriesRights: false, etag: null);

    /// <summary>The manifest.</summary>
    /// <exception cref="LinkException">It is not a manifest, or larger than declared.</exception>
    public byte[] Unpack()
    {
        var manifest = new byte[MaxContentBytes];
        return BrotliDecoder.TryDecompress(_brotli.Span, manifest, out var length) ? manifest[..length] : throw new LinkException(LinkFault.Unknown);
    }
}
