namespace Gateway.Archiving.Deflate;

/// <summary>A look at a part of a block's bytes: media, archives and ciphertext use all 256 values equally often.</summary>
internal static class ByteSample
{
    private const int Slices = 16;
    private const int SliceLength = 256;

    // For bytes drawn evenly the statistic is 255 ± 23; a stretch that Huffman codes shrink by 2 % is far above this.
    private const int EvenChiSquare = 400;

    /// <summary>Whether Huffman codes alone would not shrink the block. It depends on the bytes alone.</summary>
    public static bool LooksIncompressible(ReadOnlySpan<byte> plain)
    {
        if (plain.Length < 2 * Slices * SliceLength)
        {
            return false;
        }

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

        // The sum of (count − expected)² / expected, in whole numbers so that no rounding can differ.
        const int Expected = Slices * SliceLength / 256;
        var squares = 0;
        foreach (var count in counts)
        {
            squares += (count - Expected) * (count - Expected);
        }

        return squares < EvenChiSquare * Expected;
    }
}
