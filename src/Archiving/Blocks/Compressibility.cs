using System.Buffers.Binary;

namespace Gateway.Archiving.Blocks;

/// <summary>
/// Tells media, archives and ciphertext from the rest by looking at a part of a block: bytes that are all equally frequent and
/// hold no repeats will not shrink. It depends on the bytes alone, so equal blocks are always judged equally.
/// </summary>
internal static class Compressibility
{
    private const int Slices = 8;
    private const int SliceLength = 1024;

    // For bytes drawn evenly the statistic is 255 ± 23; a stretch that Huffman codes shrink by 1 % is far above this.
    private const double EvenChiSquare = 400;

    // A third of the window of deflate is looked through for repeats, one position in 16 remembered.
    private const int RepeatLength = 48 * 1024;
    private const uint RememberMask = 15;
    private const int EnoughRepeats = 8;

    public static bool LooksCompressible(ReadOnlySpan<byte> plain) =>
        plain.Length < 2 * Slices * SliceLength || !IsEven(plain) || Repeats(plain[..Math.Min(plain.Length, RepeatLength)]);

    private static bool IsEven(ReadOnlySpan<byte> plain)
    {
        Span<int> counts = stackalloc int[256];
        counts.Clear();
        var stride = plain.Length / Slices;
        for (var slice = 0; slice < Slices; slice++)
        {
            foreach (var b in plain.Slice(slice * stride, SliceLength))
            {
                counts[b]++;
            }
        }

        const double Expected = Slices * SliceLength / 256.0;
        var chiSquare = 0.0;
        foreach (var count in counts)
        {
            chiSquare += (count - Expected) * (count - Expected) / Expected;
        }

        return chiSquare < EvenChiSquare;
    }

    private static bool Repeats(ReadOnlySpan<byte> plain)
    {
        const int TableBits = 11;
        Span<ulong> seen = stackalloc ulong[1 << TableBits];
        seen.Clear();
        var repeats = 0;
        for (var i = 0; i + sizeof(ulong) <= plain.Length; i++)
        {
            // Which positions are remembered depends on what stands there, so both ends of a repeat are.
            var word = BinaryPrimitives.ReadUInt64LittleEndian(plain[i..]);
            var hash = (uint)word * 2_654_435_761u;
            if (((hash >> 8) & RememberMask) != 0)
            {
                continue;
            }

            ref var slot = ref seen[(int)(hash >> (32 - TableBits))];
            if (slot == word && ++repeats >= EnoughRepeats)
            {
                return true;
            }

            slot = word;
        }

        return false;
    }
}
