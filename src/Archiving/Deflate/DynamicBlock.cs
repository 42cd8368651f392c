using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gateway.Archiving.Deflate;

/// <summary>
/// One deflate block with dynamic Huffman codes (RFC 1951, section 3.2.7), written in two steps: <see cref="Measure"/> builds the
/// codes and computes the exact length, <see cref="Write"/> writes the block. Holds the scratch memory of one encoder.
/// </summary>
internal sealed class DynamicBlock
{
    // One bit less than deflate allows: four literals are then at most 56 bits, and are written together.
    private const int LiteralCodeLength = 14;
    private const int CodeLengthSymbols = 19;
    private const int CodeLengthMaxLength = 7;
    private const int RepeatLast = 16;
    private const int RepeatZero = 17;
    private const int RepeatZeroLong = 18;
    private const int MinDistanceCodes = 1;
    private const int MinLiteralCodes = 257;

    // The empty stored block that follows and ends on a byte: three header bits, LEN and NLEN.
    private const int EndBits = 3 + 7 + 32;

    private readonly HuffmanCode _literals = new(DeflateSymbols.LiteralAndLengthCount, LiteralCodeLength);
    private readonly HuffmanCode _distances = new(DeflateSymbols.DistanceCount, DeflateSymbols.MaxCodeLength);
    private readonly HuffmanCode _codeLengths = new(CodeLengthSymbols, CodeLengthMaxLength);

    // The code lengths of both codes, run-length encoded: a symbol in the low byte, the value of its extra bits above.
    private readonly ushort[] _header = new ushort[DeflateSymbols.LiteralAndLengthCount + DeflateSymbols.DistanceCount];
    private readonly uint[] _lengthWords = new uint[DeflateSymbols.MaxMatch + 1];
    private readonly uint[] _literalWords = new uint[256];
    private readonly uint[] _distanceWords = new uint[DeflateSymbols.DistanceCount];
    private readonly int[] _moreCounts = new int[3 * 256];
    private readonly int[] _lengthCounts = new int[DeflateSymbols.MaxMatch + 1];
    private int _headerLength;

    /// <summary>The order of the code-length code's lengths.</summary>
    private static ReadOnlySpan<byte> CodeLengthOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private static ReadOnlySpan<byte> EmptyStored => [0, 0, 0xFF, 0xFF];

    private int LiteralCodes => Math.Max(_literals.Lengths.AsSpan().LastIndexOfAnyExcept((byte)0) + 1, MinLiteralCodes);

    private int DistanceCodes => Math.Max(_distances.Lengths.AsSpan().LastIndexOfAnyExcept((byte)0) + 1, MinDistanceCodes);

    private int CodeLengthCodes
    {
        get
        {
            var count = CodeLengthSymbols;
            while (count > 4 && _codeLengths.Lengths[CodeLengthOrder[count - 1]] == 0)
            {
                count--;
            }

            return count;
        }
    }

    /// <summary>Counts the symbols, builds the codes, and computes the length.</summary>
    /// <returns>The maximum number of bytes that <see cref="Write"/> will write; at most one more than it does write.</returns>
    public int Measure(ReadOnlySpan<byte> plain, ReadOnlySpan<Sequence> sequences)
    {
        var extraBits = Count(plain, sequences);
        _literals.Build();
        _distances.Build();
        ShortenHeader();
        _codeLengths.Build();
        var headerBits = 3 + 5 + 5 + 4 + (3 * CodeLengthCodes) + _codeLengths.Cost()
            + (2 * _codeLengths.Counts[RepeatLast]) + (3 * _codeLengths.Counts[RepeatZero]) + (7 * _codeLengths.Counts[RepeatZeroLong]);
        return (int)((headerBits + _literals.Cost() + _distances.Cost() + extraBits + EndBits + 7) / 8);
    }

    /// <summary>Writes the measured block, not marked as last, up to a whole byte.</summary>
    /// <param name="plain">The block that was measured.</param>
    /// <param name="sequences">The sequences that were measured.</param>
    /// <param name="output">Has room for the measured length and <see cref="BitWriter.Slack"/>.</param>
    /// <returns>The number of bytes written.</returns>
    public int Write(ReadOnlySpan<byte> plain, ReadOnlySpan<Sequence> sequences, Span<byte> output)
    {
        var writer = new BitWriter(output);
        WriteHeader(ref writer);
        PrepareWords();
        WriteSymbols(ref writer, plain, sequences);

        // BFINAL 0, BTYPE 00, padding to the byte, LEN 0, NLEN.
        writer.Put(0, 3);
        var length = writer.End();
        EmptyStored.CopyTo(output[length..]);
        return length + EmptyStored.Length;
    }

    private long Count(ReadOnlySpan<byte> plain, ReadOnlySpan<Sequence> sequences)
    {
        Array.Clear(_literals.Counts);
        Array.Clear(_distances.Counts);
        Array.Clear(_lengthCounts);
        ref var literals = ref MemoryMarshal.GetArrayDataReference(_literals.Counts);
        ref var lengths = ref MemoryMarshal.GetArrayDataReference(_lengthCounts);
        ref var distances = ref MemoryMarshal.GetArrayDataReference(_distances.Counts);
        ref var at = ref MemoryMarshal.GetReference(plain);
        var more = _moreCounts.AsSpan();
        more.Clear();
        ref var second = ref MemoryMarshal.GetReference(more);
        ref var third = ref Unsafe.Add(ref second, 256);
        ref var fourth = ref Unsafe.Add(ref second, 512);
        foreach (var sequence in sequences)
        {
            nint run = sequence.Literals;
            for (; run > 3; run -= 4)
            {
                Unsafe.Add(ref literals, at)++;
                Unsafe.Add(ref second, Unsafe.Add(ref at, 1))++;
                Unsafe.Add(ref third, Unsafe.Add(ref at, 2))++;
                Unsafe.Add(ref fourth, Unsafe.Add(ref at, 3))++;
                at = ref Unsafe.Add(ref at, 4);
            }

            // Most runs are shorter than four, and branch predictors cannot guess their length: the first three are counted without branches.
            Unsafe.Add(ref literals, at) -= (int)Mask(0, (int)run);
            Unsafe.Add(ref second, Unsafe.Add(ref at, 1)) -= (int)Mask(1, (int)run);
            Unsafe.Add(ref third, Unsafe.Add(ref at, 2)) -= (int)Mask(2, (int)run);
            Unsafe.Add(ref lengths, sequence.Length)++;
            Unsafe.Add(ref distances, sequence.DistanceSymbol)++;
            at = ref Unsafe.Add(ref at, run + sequence.Length);
        }

        CountRun(plain[(int)Unsafe.ByteOffset(ref MemoryMarshal.GetReference(plain), ref at)..]);
        return CountLengths();
    }

    /// <summary>Converts counted lengths to symbols, and adds up all extra bits.</summary>
    private long CountLengths()
    {
        var extraBits = 0L;
        _literals.Counts[DeflateSymbols.EndOfBlock] = 1;
        for (var length = DeflateSymbols.MinMatch; length < _lengthCounts.Length; length++)
        {
            _literals.Counts[DeflateSymbols.LengthSymbol(length)] += _lengthCounts[length];
            extraBits += (long)_lengthCounts[length] * DeflateSymbols.LengthExtra(length).Bits;
        }

        for (var symbol = 0; symbol < DeflateSymbols.DistanceCount; symbol++)
        {
            extraBits += (long)_distances.Counts[symbol] * DeflateSymbols.DistanceExtraBits(symbol);
        }

        return extraBits;
    }

    /// <summary>A long run of literals. Neighbours are counted in separate tables, so that equal ones do not wait for each other.</summary>
    private void CountRun(ReadOnlySpan<byte> run)
    {
        var first = _literals.Counts;
        var more = _moreCounts.AsSpan();
        var second = more[..256];
        var third = more.Slice(256, 256);
        var fourth = more.Slice(512, 256);
        var i = 0;
        for (; i + 4 <= run.Length; i += 4)
        {
            first[run[i]]++;
            second[run[i + 1]]++;
            third[run[i + 2]]++;
            fourth[run[i + 3]]++;
        }

        for (; i < run.Length; i++)
        {
            first[run[i]]++;
        }

        for (var symbol = 0; symbol < 256; symbol++)
        {
            first[symbol] += second[symbol] + third[symbol] + fourth[symbol];
        }
    }

    /// <summary>Replaces repeats in the lengths of both codes, treated as one list, with symbols 16 to 18.</summary>
    private void ShortenHeader()
    {
        var row = (stackalloc byte[DeflateSymbols.LiteralAndLengthCount + DeflateSymbols.DistanceCount]);
        var literalCodes = LiteralCodes;
        _literals.Lengths.AsSpan(0, literalCodes).CopyTo(row);
        _distances.Lengths.AsSpan(0, DistanceCodes).CopyTo(row[literalCodes..]);
        row = row[..(literalCodes + DistanceCodes)];

        Array.Clear(_codeLengths.Counts);
        _headerLength = 0;
        while (!row.IsEmpty)
        {
            var length = row[0];
            var run = row.IndexOfAnyExcept(length) is >= 0 and var other ? other : row.Length;
            if (length == 0 && run >= 11)
            {
                run = Math.Min(run, 138);
                AddToHeader(RepeatZeroLong, run - 11);
            }
            else if (length == 0 && run >= 3)
            {
                AddToHeader(RepeatZero, run - 3);
            }
            else
            {
                AddToHeader(length, 0);
                var repeats = run - 1;
                if (length != 0 && repeats >= 3)
                {
                    repeats = Math.Min(repeats, 6);
                    AddToHeader(RepeatLast, repeats - 3);
                    run = 1 + repeats;
                }
                else
                {
                    run = 1;
                }
            }

            row = row[run..];
        }
    }

    private void AddToHeader(int symbol, int extra)
    {
        _codeLengths.Counts[symbol]++;
        _header[_headerLength++] = (ushort)(symbol | (extra << 8));
    }

    private void WriteHeader(ref BitWriter writer)
    {
        var codeLengthCodes = CodeLengthCodes;
        writer.Put(0b100, 3); // BFINAL 0, BTYPE 10
        writer.Put((ulong)(LiteralCodes - 257), 5);
        writer.Put((ulong)(DistanceCodes - 1), 5);
        writer.Put((ulong)(codeLengthCodes - 4), 4);
        writer.Flush();
        for (var i = 0; i < codeLengthCodes; i++)
        {
            writer.Put(_codeLengths.Lengths[CodeLengthOrder[i]], 3);
            writer.Flush();
        }

        foreach (var entry in _header.AsSpan(0, _headerLength))
        {
            var symbol = entry & 0xFF;
            writer.Put(_codeLengths.Codes[symbol], _codeLengths.Lengths[symbol]);
            writer.Put((ulong)(entry >> 8), symbol switch { RepeatLast => 2, RepeatZero => 3, RepeatZeroLong => 7, _ => 0 });
            writer.Flush();
        }
    }

    /// <summary>
    /// Codes with their lengths in the lowest five bits: one lookup each. A match length's extra bits follow its code. For a
    /// distance, four more bits give the number of extra bits that follow.
    /// </summary>
    private void PrepareWords()
    {
        for (var literal = 0; literal < _literalWords.Length; literal++)
        {
            _literalWords[literal] = ((uint)_literals.Codes[literal] << 5) | _literals.Lengths[literal];
        }

        for (var symbol = 0; symbol < _distanceWords.Length; symbol++)
        {
            _distanceWords[symbol] = ((uint)_distances.Codes[symbol] << 9) | ((uint)DeflateSymbols.DistanceExtraBits(symbol) << 5) | _distances.Lengths[symbol];
        }

        for (var length = DeflateSymbols.MinMatch; length < _lengthWords.Length; length++)
        {
            var symbol = DeflateSymbols.LengthSymbol(length);
            var (bits, value) = DeflateSymbols.LengthExtra(length);
            var codeLength = _literals.Lengths[symbol];
            _lengthWords[length] = ((_literals.Codes[symbol] | ((uint)value << codeLength)) << 5) | (uint)(codeLength + bits);
        }
    }

    private void WriteSymbols(ref BitWriter output, ReadOnlySpan<byte> plain, ReadOnlySpan<Sequence> sequences)
    {
        // A local copy, which stays in registers.
        var writer = output;
        ref var literal = ref MemoryMarshal.GetReference(plain);
        ref var literalWords = ref MemoryMarshal.GetArrayDataReference(_literalWords);
        ref var lengthWords = ref MemoryMarshal.GetArrayDataReference(_lengthWords);
        ref var distanceWords = ref MemoryMarshal.GetArrayDataReference(_distanceWords);

        foreach (var sequence in sequences)
        {
            nint run = sequence.Literals;
            for (; run > 3; run -= 4)
            {
                // Four literals, at most 14 bits each.
                var first = Unsafe.Add(ref literalWords, literal);
                var second = Unsafe.Add(ref literalWords, Unsafe.Add(ref literal, 1));
                var third = Unsafe.Add(ref literalWords, Unsafe.Add(ref literal, 2));
                var fourth = Unsafe.Add(ref literalWords, Unsafe.Add(ref literal, 3));
                var twoBits = (int)(first & 31) + (int)(second & 31);
                var two = (first >> 5) | ((second >> 5) << (int)first);
                var otherTwo = (third >> 5) | ((fourth >> 5) << (int)third);
                writer.Put(two | ((ulong)otherTwo << twoBits), twoBits + (int)(third & 31) + (int)(fourth & 31));
                writer.Flush();
                literal = ref Unsafe.Add(ref literal, 4);
            }

            // Most runs are shorter than four, and branch predictors cannot guess their length: absent literals have zero bits.
            var last = Unsafe.Add(ref literalWords, literal) & Mask(0, (int)run);
            var last2 = Unsafe.Add(ref literalWords, Unsafe.Add(ref literal, 1)) & Mask(1, (int)run);
            var last3 = Unsafe.Add(ref literalWords, Unsafe.Add(ref literal, 2)) & Mask(2, (int)run);
            var bits = (int)(last & 31) + (int)(last2 & 31);
            var lastOnes = (last >> 5) | ((last2 >> 5) << (int)last) | ((ulong)(last3 >> 5) << bits);
            bits += (int)(last3 & 31);

            // 14 + 5 bits of length, 15 + 13 of distance.
            var length = Unsafe.Add(ref lengthWords, sequence.Length);
            var distance = Unsafe.Add(ref distanceWords, sequence.DistanceSymbol);
            var lengthBits = (int)(length & 31);
            var distanceBits = (int)(distance & 31);
            var match = (length >> 5) | ((ulong)((distance >> 9) | ((uint)sequence.DistanceExtra << distanceBits)) << lengthBits);
            var matchBits = lengthBits + distanceBits + (int)((distance >> 5) & 15);
            if (bits + matchBits <= BitWriter.MaxBits)
            {
                writer.Put(lastOnes | (match << bits), bits + matchBits);
                writer.Flush();
            }
            else
            {
                writer.Put(lastOnes, bits);
                writer.Flush();
                writer.Put(match, matchBits);
                writer.Flush();
            }

            literal = ref Unsafe.Add(ref literal, run + sequence.Length);
        }

        foreach (var left in plain[(int)Unsafe.ByteOffset(ref MemoryMarshal.GetReference(plain), ref literal)..])
        {
            var word = Unsafe.Add(ref literalWords, left);
            writer.Put(word >> 5, (int)(word & 31));
            writer.Flush();
        }

        writer.Put(_literals.Codes[DeflateSymbols.EndOfBlock], _literals.Lengths[DeflateSymbols.EndOfBlock]);
        writer.Flush();
        output = writer;
    }

    /// <summary>All ones if the index is inside the run, else all zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Mask(int index, int run) => (uint)((index - run) >> 31);
}
