using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Gateway.Archiving.Deflate;

/// <summary>
/// Greedy search for repeats. A small table maps a hash of five bytes to their last position; two positions are
/// looked up at a time. After a long stretch without a match it looks at fewer and fewer positions, so such bytes cost little.
/// </summary>
/// <remarks>
/// <para>Deterministic: equal bytes give equal sequences, regardless of the processor and of earlier blocks. Positions are stored in
/// 16 bits, so that the table fits into the fastest cache. A shortened position is always compared before it is used, so a wrong
/// one costs only time.</para>
/// <para>Five bytes instead of four: a match of four saves hardly anything over its literals, and every match costs the time of some
/// twenty literals. Speed depends on how soon the next position is known, and on branch mispredictions. So everything that can be
/// deferred is kept off the path to the next position.</para>
/// </remarks>
internal sealed class MatchFinder
{
    private const int HashBits = 13;
    private const int MinMatch = 4;
    private const int MaxBlock = 1 << 17;

    // After 2^8 bytes without a match two positions in three are looked at, after 2^9 two in four …
    private const int SkipShift = 8;

    // Five bytes in the highest bits of the product, whose own highest bits are the hash.
    private const ulong HashFactor = 889_523_592_379UL << 24;

    // Everything that is loaded and stored around a match stays inside the block.
    private const int Tail = 16;

    private readonly ushort[] _last = new ushort[1 << HashBits];

    /// <summary>Finds the repeats of a block of at most 2^17 bytes.</summary>
    /// <param name="plain">The block.</param>
    /// <param name="sequences">Room for a quarter as many as the block has bytes.</param>
    /// <returns>The number of sequences found. Bytes after the last one are literals.</returns>
    public int Find(ReadOnlySpan<byte> plain, Span<Sequence> sequences)
    {
        // No bounds checks below.
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
            var secondWord = Load64(ref start, at + 1);
            ref var firstLast = ref Unsafe.Add(ref last, Hash(word));
            ref var secondLast = ref Unsafe.Add(ref last, Hash(secondWord));
            nint distance = (ushort)(at - firstLast);
            nint secondDistance = (ushort)(at + 1 - secondLast);
            firstLast = (ushort)at;
            secondLast = (ushort)(at + 1);
            var difference = word ^ Load64(ref start, at - distance);
            if (!IsMatch(difference, distance))
            {
                difference = secondWord ^ Load64(ref start, at + 1 - secondDistance);
                if (!IsMatch(difference, secondDistance))
                {
                    at += 2 + ((at - anchor) >> SkipShift);
                    continue;
                }

                at++;
                distance = secondDistance;
            }

            var length = difference != 0
                ? (nint)((uint)BitOperations.TrailingZeroCount(difference) >> 3)
                : Extend(ref start, at, distance, plain.Length);
            var next = at + length;

            // The match may extend backwards: at most eight bytes, at most the pending literals, and not beyond the maximum length.
            var literals = at - anchor;
            if (at - distance >= sizeof(ulong))
            {
                var before = Load64(ref start, at - sizeof(ulong)) ^ Load64(ref start, at - sizeof(ulong) - distance);
                nint back = BitOperations.LeadingZeroCount(before) >> 3;
                back = Smaller(Smaller(back, literals), DeflateSymbols.MaxMatch - length);
                literals -= back;
                length += back;
            }

            Unsafe.Add(ref sequence, count++) = new Sequence(literals, length, distance);

            // Store the match's beginning and its end, where the next one probably begins: storing more would cost more time than
            // the bytes it saves.
            Remember(ref start, ref last, at + 2);
            at = next;
            anchor = next;
            if (at <= end)
            {
                Remember(ref start, ref last, at - 3);
                Remember(ref start, ref last, at - 1);
            }
        }

        return (int)count;
    }

    /// <summary>
    /// Whether at least four bytes match there. The table contains only earlier positions, so the distance never leads before
    /// the block.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsMatch(ulong difference, nint distance) =>
        (uint)difference == 0 && (nuint)(distance - 1) < DeflateSymbols.MaxDistance;

    /// <summary>The length of a match that is at least eight bytes long.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Extend(ref byte start, nint at, nint distance, nint end)
    {
        var most = Math.Min(DeflateSymbols.MaxMatch, end - at);
        nint length = sizeof(ulong);
        for (; length + Vector256<byte>.Count <= most; length += Vector256<byte>.Count)
        {
            // On processors without such wide registers this is done in parts, with the same result.
            ref var here = ref Unsafe.Add(ref start, at + length);
            var same = Vector256.Equals(Vector256.LoadUnsafe(ref here), Vector256.LoadUnsafe(ref Unsafe.Subtract(ref here, distance)));
            var differences = ~same.ExtractMostSignificantBits();
            if (differences != 0)
            {
                return length + BitOperations.TrailingZeroCount(differences);
            }
        }

        while (length < most && Unsafe.Add(ref start, at + length) == Unsafe.Add(ref start, at + length - distance))
        {
            length++;
        }

        return length;
    }

    /// <summary>The minimum, without a branch that predictors cannot guess.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Smaller(nint one, nint other) => one + ((other - one) & ((other - one) >> (8 * sizeof(int) - 1)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Remember(ref byte start, ref ushort last, nint at) => Unsafe.Add(ref last, Hash(Load64(ref start, at))) = (ushort)at;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint Hash(ulong bytes) => (nuint)((bytes * HashFactor) >> (64 - HashBits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load64(ref byte start, nint at)
    {
        var bytes = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, at));
        return BitConverter.IsLittleEndian ? bytes : BinaryPrimitives.ReverseEndianness(bytes);
    }
}
