using System.Collections.Concurrent;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Deflate;

namespace Gateway.Archiving.Encoders;

/// <summary>
/// Our own deflate, the default: about the size of the fastest level of the best libraries, and the same bytes on every
/// processor, operating system and runtime. That is what lets one replica continue what another began.
/// </summary>
/// <remarks>
/// <para>A block is compressed in three passes. The match finder walks over it once and leaves a row of sequences, each some
/// literals and one match. Counting the symbols of the row gives the Huffman codes, and with them the exact length of the
/// result before a bit of it is written; when it would not shrink, the block is stored, and nothing was written in vain. The
/// last pass writes the row with those codes as one dynamic block, and behind it an empty stored block that ends on a byte.</para>
/// <para>Bytes that do not repeat make the first pass skip ahead. If next to nothing matched and a sample of the bytes is evenly
/// spread, the block is stored without counting.</para>
/// <para>Memory: scratch of some 300 KiB is taken from a pool for the time of one block; as many exist as blocks have ever been
/// encoded at the same moment, not as there are bundles.</para>
/// </remarks>
internal sealed class DeflateBlockEncoder : BlockEncoder
{
    // Fewer matched bytes than one in 64 cannot pay for codes that are as long as the bytes.
    private const int FewMatches = 64;

    private static readonly ConcurrentBag<Scratch> Pool = [];

    public override string Name => "deflate-2";

    /// <summary>Whether next to nothing in a block of any size repeats and its bytes are evenly spread: no encoder of deflate
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
        // The sample first: it costs next to nothing, and most blocks are done with it.
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
