namespace Gateway.Archiving.Deflate;

/// <summary>Samples a block's bytes: media, archives and ciphertext use all 256 values equally often.</summary>
internal static class ByteSample
{
    private const int Slices = 16;
    private const int SliceLength = 256;

    // For uniformly random bytes the statistic is 255 ± 23; a part that Huffman codes shrink by 2 % is far above this.
    private const int EvenChiSquare = 400;

    /// <summary>Whether Huffman codes alone would not shrink the block. Depends only on its bytes.</summary>
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

        // The sum of (count − expected)² / expected, in integers, so that rounding cannot differ between machines.
        const int Expected = Slices * SliceLength / 256;
        var squares = 0;
        foreach (var count in counts)
        {
            squares += (count - Expected) * (count - Expected);
        }

        return squares < EvenChiSquare * Expected;
    }
}
