using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gateway.Archiving.Deflate;

/// <summary>Literals, then a match: what a block is made of. The last literals of a block have none behind them.</summary>
/// <param name="Literals">Bytes that are taken from the block as they are.</param>
/// <param name="Length">Bytes that are repeated, 4…258.</param>
/// <param name="Distance">How far back they stand, 1…32,768.</param>
internal readonly record struct Sequence(int Literals, ushort Length, ushort Distance);

/// <summary>
/// Greedy search for repeats. A small table remembers, for a hash of four bytes, where these stood last; every load of eight
/// bytes serves two positions. Where nothing matches for long it looks at ever fewer positions, so bytes that do not repeat
/// cost little.
/// </summary>
/// <remarks>
/// Equal bytes give equal sequences everywhere: nothing depends on the processor, on earlier blocks or on chance. Positions are
/// kept in 16 bits, which makes the table small enough for the fastest cache; what a shortened position points at is always
/// compared before it is used, so a wrong guess costs time and nothing else.
/// </remarks>
internal sealed class MatchFinder
{
    private const int HashBits = 14;
    private const int MinMatch = 4;
    private const int MaxBlock = 1 << 17;

    // After 2^8 bytes without a match two positions in three are looked at, after 2^9 two in four …
    private const int SkipShift = 8;

    private const int MaxBackwards = 64;

    // A load of eight bytes at the second position must stay inside.
    private const int Tail = 9;

    private readonly ushort[] _last = new ushort[1 << HashBits];

    /// <summary>Finds the repeats of a block of at most 2^17 bytes.</summary>
    /// <param name="plain">The block.</param>
    /// <param name="sequences">Room for a quarter as many as the block has bytes.</param>
    /// <returns>How many sequences were found. Bytes behind the last are literals.</returns>
    public int Find(ReadOnlySpan<byte> plain, Span<Sequence> sequences)
    {
        // Nothing below looks again.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plain.Length, MaxBlock);
        ArgumentOutOfRangeException.ThrowIfLessThan(sequences.Length, plain.Length / MinMatch);
        Array.Clear(_last);
        ref var start = ref MemoryMarshal.GetReference(plain);
        ref var last = ref MemoryMarshal.GetArrayDataReference(_last);
        ref var sequence = ref MemoryMarshal.GetReference(sequences);
        nint count = 0;
        nint anchor = 0;
        nint end = plain.Length - Tail;
        for (nint at = 0; at <= end;)
        {
            var word = Load64(ref start, at);
            var first = (uint)word;
            var second = (uint)(word >> 8);
            ref var firstLast = ref Unsafe.Add(ref last, Hash(first));
            nint distance = (ushort)(at - firstLast);
            firstLast = (ushort)at;
            ref var secondLast = ref Unsafe.Add(ref last, Hash(second));
            nint secondDistance = (ushort)(at + 1 - secondLast);
            secondLast = (ushort)(at + 1);
            if (!IsMatch(ref start, at, distance, first))
            {
                if (!IsMatch(ref start, at + 1, secondDistance, second))
                {
                    at += 2 + ((at - anchor) >> SkipShift);
                    continue;
                }

                at++;
                distance = secondDistance;
            }

            // Positions that were skipped may belong to the match; never so many that it would end before what the table knows.
            var earliest = Math.Max(Math.Max(anchor, distance), at - MaxBackwards);
            while (at > earliest && Unsafe.Add(ref start, at - 1) == Unsafe.Add(ref start, at - 1 - distance))
            {
                at--;
            }

            var length = Extend(ref start, at, distance, plain.Length);
            Unsafe.Add(ref sequence, count++) = new Sequence((int)(at - anchor), (ushort)length, (ushort)distance);
            at += length;
            anchor = at;
            if (at <= end)
            {
                // Remember the match's beginning, and its end, where the next one is likely to have begun: more would cost more
                // time than it saves bytes.
                Remember(ref start, ref last, at - length + 2);
                Remember(ref start, ref last, at - 3);
                Remember(ref start, ref last, at - 1);
            }
        }

        return (int)count;
    }

    /// <summary>
    /// Whether the four bytes stand there too. What the table holds was put there for an earlier position, so the distance never
    /// leads before the block.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsMatch(ref byte start, nint at, nint distance, uint bytes) =>
        Load32(ref start, at - distance) == bytes && (nuint)(distance - 1) < DeflateSymbols.MaxDistance;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Remember(ref byte start, ref ushort last, nint at) => Unsafe.Add(ref last, Hash(Load32(ref start, at))) = (ushort)at;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Extend(ref byte start, nint at, nint distance, nint end)
    {
        var most = Math.Min(DeflateSymbols.MaxMatch, end - at);
        nint length = MinMatch;
        for (; length + sizeof(ulong) <= most; length += sizeof(ulong))
        {
            var difference = Load64(ref start, at + length) ^ Load64(ref start, at + length - distance);
            if (difference != 0)
            {
                return length + (BitOperations.TrailingZeroCount(difference) >> 3);
            }
        }

        while (length < most && Unsafe.Add(ref start, at + length) == Unsafe.Add(ref start, at + length - distance))
        {
            length++;
        }

        return length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint Hash(uint bytes) => (bytes * 2_654_435_761u) >> (32 - HashBits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Load32(ref byte start, nint at)
    {
        var bytes = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, at));
        return BitConverter.IsLittleEndian ? bytes : BinaryPrimitives.ReverseEndianness(bytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load64(ref byte start, nint at)
    {
        var bytes = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, at));
        return BitConverter.IsLittleEndian ? bytes : BinaryPrimitives.ReverseEndianness(bytes);
    }
}
