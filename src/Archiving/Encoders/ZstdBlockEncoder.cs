using System.Collections.Concurrent;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Zstd;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Gateway.Archiving.Encoders;

/// <summary>Blocks as Zstandard frames with size and checksum, by ZstdSharp: managed code, the same bytes on every processor.</summary>
/// <remarks>Memory: a compressor holds some 1 MiB (level 1) to 5 MiB (level 9). Compressors are pooled; their number is the maximum
/// number of blocks ever encoded at the same time.</remarks>
internal sealed class ZstdBlockEncoder(int level, int blockSize) : BlockEncoder
{
    private readonly ConcurrentBag<Compressor> _pool = [];

    public override string Name { get; } = $"zstd-{level}";

    public override int BlockSize => blockSize;

    public override StoredBlock Stored => StoredFrame.Instance;

    public override int TryEncode(ReadOnlySpan<byte> plain, Memory<byte> output)
    {
        if (plain.IsEmpty)
        {
            return 0;
        }

        var compressor = _pool.TryTake(out var pooled) ? pooled : Create();
        var fits = compressor.TryWrap(plain, output.Span, out var length);
        _pool.Add(compressor);
        return fits ? length : 0;
    }

    protected override byte[] Decode(ReadOnlySpan<byte> encoded)
    {
        using var decompressor = new Decompressor();
        return decompressor.Unwrap(encoded).ToArray();
    }

    private Compressor Create()
    {
        var compressor = new Compressor(level);
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        return compressor;
    }
}
