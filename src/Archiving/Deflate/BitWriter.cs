using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gateway.Archiving.Deflate;

/// <summary>
/// Packs bits into bytes, first bit lowest (RFC 1951, section 3.1.1). At most <see cref="MaxBits"/> bits may be put between two
/// <see cref="Flush"/>es.
/// It writes eight bytes at a time without bounds checks, so the buffer must extend at least <see cref="Slack"/> bytes past the
/// end of the output: callers know its length beforehand.
/// </summary>
internal ref struct BitWriter
{
    public const int Slack = 8;

    // With the seven pending bits, one less than a word: a shift by 64 would be a shift by 0.
    public const int MaxBits = 56;

    // Few, simple fields, so that a loop keeps them in registers.
    private readonly ref byte _start;
    private ref byte _at;
    private ulong _bits;
    private int _count;

    public BitWriter(Span<byte> output)
    {
        _start = ref MemoryMarshal.GetReference(output);
        _at = ref _start;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(ulong bits, int count)
    {
        _bits |= bits << _count;
        _count += count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Flush()
    {
        Unsafe.WriteUnaligned(ref _at, BitConverter.IsLittleEndian ? _bits : BinaryPrimitives.ReverseEndianness(_bits));
        _at = ref Unsafe.Add(ref _at, _count >> 3);
        _bits >>= _count & ~7;
        _count &= 7;
    }

    /// <summary>Pads the last byte with zeros.</summary>
    /// <returns>The number of bytes written.</returns>
    public int End()
    {
        _count = (_count + 7) & ~7;
        Flush();
        return (int)Unsafe.ByteOffset(ref _start, ref _at);
    }
}
