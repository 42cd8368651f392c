using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Encoders;

/// <summary>
/// Encodes blocks with ISA-L's igzip at level 1, stateless; a full flush ends each on a byte. The library is loaded on
/// demand. If it is missing, there is no fallback.
/// </summary>
/// <remarks>Memory: each native state takes some 360 KiB. States are pooled and kept for the life of the process; their number is the
/// maximum number of blocks ever encoded at the same time.</remarks>
internal sealed unsafe class IsalBlockEncoder : BlockEncoder
{
    private const string Library = "libisal.so.2";

    // igzip_lib.h, ISA-L 2: struct isal_zstream up to its internal state, on 64-bit machines. The library owns the remainder.
    private const int StreamSize = 128 * 1024; // 82,384 in 2.30, with room for later versions
    private const int LevelBufferSize = 282_624; // ISAL_DEF_LVL1_DEFAULT
    private const ushort FullFlush = 2;
    private const int Ok = 0;

    private readonly ConcurrentBag<nint> _states = [];
    private readonly delegate* unmanaged<Stream*, void> _initialize;
    private readonly delegate* unmanaged<Stream*, int> _deflate;

    private IsalBlockEncoder(nint initialize, nint deflate)
    {
        _initialize = (delegate* unmanaged<Stream*, void>)initialize;
        _deflate = (delegate* unmanaged<Stream*, int>)deflate;
    }

    public override string Name => "isal-1";

    /// <summary>Loads the library.</summary>
    /// <exception cref="NotSupportedException">It is missing or too old, or this is not a 64-bit machine.</exception>
    public static IsalBlockEncoder Load()
    {
        if (sizeof(nint) == sizeof(long)
            && NativeLibrary.TryLoad(Library, out var library)
            && NativeLibrary.TryGetExport(library, "isal_deflate_stateless_init", out var initialize)
            && NativeLibrary.TryGetExport(library, "isal_deflate_stateless", out var deflate))
        {
            return new IsalBlockEncoder(initialize, deflate);
        }

        throw new NotSupportedException($"The encoder 'isal' requires a 64-bit machine and {Library} (Debian: libisal2), which cannot be loaded.");
    }

    public override int TryEncode(ReadOnlySpan<byte> plain, Memory<byte> output)
    {
        // igzip would detect this too, but ten times slower.
        if (plain.IsEmpty || DeflateBlockEncoder.LooksIncompressible(plain))
        {
            return 0;
        }

        var state = _states.TryTake(out var pooled) ? pooled : (nint)NativeMemory.AllocZeroed(StreamSize + LevelBufferSize);
        var stream = (Stream*)state;
        fixed (byte* input = plain, target = output.Span)
        {
            _initialize(stream);
            stream->NextIn = input;
            stream->AvailableIn = (uint)plain.Length;
            stream->NextOut = target;
            stream->AvailableOut = (uint)output.Length;
            stream->Level = 1;
            stream->LevelBufferSize = LevelBufferSize;
            stream->LevelBuffer = (byte*)state + StreamSize;
            stream->EndOfStream = 0;
            stream->Flush = FullFlush;
            var result = _deflate(stream);
            var length = result == Ok && stream->AvailableIn == 0 ? (int)stream->TotalOut : 0;
            _states.Add(state);
            return length;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Stream
    {
        public byte* NextIn;
        public uint AvailableIn;
        public uint TotalIn;
        public byte* NextOut;
        public uint AvailableOut;
        public uint TotalOut;
        public void* HuffmanTables;
        public uint Level;
        public uint LevelBufferSize;
        public byte* LevelBuffer;
        public ushort EndOfStream;
        public ushort Flush;
        public ushort GzipFlag;
        public ushort HistoryBits;
    }
}
