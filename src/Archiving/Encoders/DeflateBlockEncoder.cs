using System.Collections.Concurrent;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Deflate;

namespace Gateway.Archiving.Encoders;

/// <summary>
/// Our own deflate encoder, the default. Its output is about as small as the fastest level of the best libraries, and identical on
/// every processor, operating system and runtime. So one replica can resume an archive that another began.
/// </summary>
/// <remarks>
/// <para>A block is compressed in three passes. The match finder scans it once and produces a list of sequences, each some
/// literals and one match. Counting the symbols of the list gives the Huffman codes, and so the exact length of the
/// result before any bit is written. If it would not shrink, the block is stored and no work was wasted. The last pass writes
/// the list with these codes as one dynamic block, followed by an empty stored block that ends on a byte.</para>
/// <para>On bytes that do not repeat, the first pass skips ahead. If almost nothing matched and a sample of the bytes is uniformly
/// distributed, the block is stored without counting.</para>
/// <para>Memory: scratch of some 300 KiB is taken from a pool while a block is encoded. The number of scratch buffers is the maximum
/// number of blocks ever encoded at the same time; it does not depend on the number of bundles.</para>
/// </remarks>
internal sealed class DeflateBlockEncoder : BlockEncoder
{
    // If fewer than one byte in 64 is matched, the savings cannot exceed the cost of codes that are as long as the bytes.
    private const int FewMatches = 64;

    private static readonly ConcurrentBag<Scratch> Pool = [];

    public override string Name => "deflate-2";

    /// <summary>Whether almost nothing in a block of any size repeats and its bytes are uniformly distributed, so that no deflate encoder
    /// shrinks it.</summary>
    public static bool LooksIncompressible(ReadOnlySpan<byte> plain)
    {
        for (; plain.Length > ArchiveRecipe.BlockSize; plain = plain[ArchiveRecipe.BlockSize..])
        {
            if (!PartLooksIncompressible(plain[..ArchiveRecipe.BlockSize]))
            {
                return false;
            }
        }

        return PartLooksIncompressible(plain);
    }

    private static bool PartLooksIncompressible(ReadOnlySpan<byte> plain)
    {
        // The sample first: it is cheap and decides for most blocks.
        if (!ByteSample.LooksIncompressible(plain))
        {
            return false;
        }

        var scratch = Rent();
        scratch.Search(plain, out var looksIncompressible);
        Pool.Add(scratch);
        return looksIncompressible;
    }

    public override int TryEncode(ReadOnlySpan<byte> plain, Memory<byte> output)
    {
        var scratch = Rent();
        var length = scratch.TryCompress(plain, output.Span);
        Pool.Add(scratch);
        return length;
    }

    private static Scratch Rent() => Pool.TryTake(out var scratch) ? scratch : new Scratch();

    private sealed class Scratch
    {
        private readonly MatchFinder _finder = new();
        private readonly DynamicBlock _block = new();
        private readonly Sequence[] _sequences = new Sequence[ArchiveRecipe.BlockSize / 4];

        public int TryCompress(ReadOnlySpan<byte> plain, Span<byte> output)
        {
            var sequences = Search(plain, out var looksIncompressible);
            return !looksIncompressible && _block.Measure(plain, sequences) + BitWriter.Slack <= output.Length
                ? _block.Write(plain, sequences, output)
                : 0;
        }

        public ReadOnlySpan<Sequence> Search(ReadOnlySpan<byte> plain, out bool looksIncompressible)
        {
            var sequences = _sequences.AsSpan(0, _finder.Find(plain, _sequences));
            looksIncompressible = HasFewMatches(sequences, plain.Length / FewMatches) && ByteSample.LooksIncompressible(plain);
            return sequences;
        }

        private static bool HasFewMatches(ReadOnlySpan<Sequence> sequences, int few)
        {
            var matched = 0;
            for (var i = 0; i < sequences.Length && matched < few; i++)
            {
                matched += sequences[i].Length;
            }

            return matched < few;
        }
    }
}
