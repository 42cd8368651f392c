using System.Buffers;
using System.IO.Compression;
using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Encoders;

/// <summary>
/// Encodes blocks with the runtime's zlib, at whichever of several levels gives the smallest block: the slowest is best for programs,
/// but worse than the middle one for logs. <see cref="DeflateStream.Flush()"/> is zlib's sync flush: it ends on a byte with an empty
/// stored block that is not the last. The end that the stream writes when it is disposed is discarded.
/// </summary>
internal sealed class ZlibBlockEncoder(params int[] levels) : BlockEncoder
{
    private readonly ZLibCompressionOptions[] _levels = [.. levels.Select(level => new ZLibCompressionOptions { CompressionLevel = level })];

    public override string Name { get; } = "zlib-" + string.Join('-', levels);

    public override int BlockSize => ArchiveRecipe.SmallBlockSize;

    public override int TryEncode(ReadOnlySpan<byte> plain, Memory<byte> output)
    {
        // zlib enlarges such blocks, at a fiftieth of the speed of a copy, so our own encoder decides whether to try.
        if (DeflateBlockEncoder.LooksIncompressible(plain))
        {
            return 0;
        }

        var best = Encode(plain, output, _levels[0]);
        var rented = ArrayPool<byte>.Shared.Rent(plain.Length);
        foreach (var level in _levels.AsSpan(1))
        {
            var length = Encode(plain, rented.AsMemory(0, plain.Length), level);
            if (length > 0 && (best == 0 || length < best))
            {
                rented.AsSpan(0, length).CopyTo(output.Span);
                best = length;
            }
        }

        ArrayPool<byte>.Shared.Return(rented);
        return best;
    }

    private static int Encode(ReadOnlySpan<byte> plain, Memory<byte> output, ZLibCompressionOptions level)
    {
        var sink = new BoundedSink(output);
        using var deflate = new DeflateStream(sink, level, leaveOpen: true);
        deflate.Write(plain);
        deflate.Flush();
        return sink.Overflowed ? 0 : sink.Written;
    }

    /// <summary>Keeps what fits and records whether there was more.</summary>
    private sealed class BoundedSink(Memory<byte> output) : Stream
    {
        public int Written { get; private set; }

        public bool Overflowed { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Overflowed |= buffer.Length > output.Length - Written;
            if (!Overflowed)
            {
                buffer.CopyTo(output.Span[Written..]);
                Written += buffer.Length;
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
