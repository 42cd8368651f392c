namespace Gateway.Archiving.Deflate;

/// <summary>
/// A canonical Huffman code (RFC 1951, section 3.2.2) built from symbol frequencies, with a maximum code length.
/// Instances are reused from block to block.
/// </summary>
internal sealed class HuffmanCode(int symbols, int maxLength)
{
    // A count never exceeds a block's bytes, so count and symbol fit into one sortable number.
    private const int SymbolBits = 9;

    // Two digits are enough for every count of a block.
    private const int DigitBits = 9;
    private const int DigitMask = (1 << DigitBits) - 1;

    // Up to this size comparing is faster than counting digits.
    private const int FewSymbols = 48;

    private readonly uint[] _sorted = new uint[symbols];
    private readonly uint[] _halfSorted = new uint[symbols];
    private readonly int[] _digitStarts = new int[1 << DigitBits];
    private readonly int[] _tree = new int[symbols];
    private readonly int[] _lengthCounts = new int[32];

    /// <summary>The frequency of each symbol. The caller counts here, and clears it.</summary>
    public int[] Counts { get; } = new int[symbols];

    /// <summary>The code length of each symbol in bits; 0 if it does not occur.</summary>
    public byte[] Lengths { get; } = new byte[symbols];

    /// <summary>The code of each symbol, first bit lowest, as the stream stores it.</summary>
    public ushort[] Codes { get; } = new ushort[symbols];

    /// <summary>Builds lengths and codes from the counts.</summary>
    public void Build()
    {
        var used = Sort();
        CodeLengths(used);
        Limit();
        Assign(used);
    }

    /// <summary>The total number of bits of all counted symbols.</summary>
    public long Cost()
    {
        var bits = 0L;
        for (var symbol = 0; symbol < symbols; symbol++)
        {
            bits += (long)Counts[symbol] * Lengths[symbol];
        }

        return bits;
    }

    /// <summary>The symbols that occur, the rarest first; equally frequent ones by number, so that equal counts give equal codes.</summary>
    private int Sort()
    {
        // Some inflaters reject a code of fewer than two symbols, so there are always two.
        var used = 0;
        for (var symbol = 0; symbol < symbols; symbol++)
        {
            if (Counts[symbol] > 0)
            {
                _sorted[used++] = ((uint)Counts[symbol] << SymbolBits) | (uint)symbol;
            }
        }

        for (var symbol = 0; used < 2; symbol++)
        {
            if (Counts[symbol] == 0)
            {
                _sorted[used++] = (1u << SymbolBits) | (uint)symbol;
            }
        }

        if (used <= FewSymbols)
        {
            _sorted.AsSpan(0, used).Sort();
            return used;
        }

        SortByDigit(_sorted, _halfSorted, used, SymbolBits);
        SortByDigit(_halfSorted, _sorted, used, SymbolBits + DigitBits);
        return used;
    }

    /// <summary>One pass of a stable radix sort, by one digit.</summary>
    private void SortByDigit(uint[] from, uint[] to, int count, int shift)
    {
        var starts = _digitStarts.AsSpan();
        starts.Clear();
        foreach (var entry in from.AsSpan(0, count))
        {
            starts[(int)(entry >> shift) & DigitMask]++;
        }

        var start = 0;
        foreach (ref var digit in starts)
        {
            (digit, start) = (start, start + digit);
        }

        foreach (var entry in from.AsSpan(0, count))
        {
            to[starts[(int)(entry >> shift) & DigitMask]++] = entry;
        }
    }

    /// <summary>
    /// Code lengths from sorted counts, in place: A. Moffat and J. Katajainen, "In-place calculation of minimum-redundancy
    /// codes" (1995). Afterwards <see cref="_lengthCounts"/> contains the number of codes of each length.
    /// </summary>
    private void CodeLengths(int used)
    {
        var tree = _tree.AsSpan(0, used);
        for (var i = 0; i < used; i++)
        {
            tree[i] = (int)(_sorted[i] >> SymbolBits);
        }

        // First pass, left to right: weights of the inner nodes, replaced by their parents when they are joined.
        tree[0] += tree[1];
        for (int node = 0, leaf = 2, next = 1; next < used - 1; next++)
        {
            tree[next] = TakeSmaller(tree, ref node, ref leaf, next);
            tree[next] += TakeSmaller(tree, ref node, ref leaf, next);
        }

        // Second pass, right to left: depths of the inner nodes.
        tree[used - 2] = 0;
        for (var next = used - 3; next >= 0; next--)
        {
            tree[next] = tree[tree[next]] + 1;
        }

        // Third pass: leaves take the positions that the inner nodes of each depth leave free.
        Array.Clear(_lengthCounts);
        var available = 1;
        var depth = 0;
        for (int inner = used - 2, left = used; left > 0; depth++)
        {
            var innerHere = 0;
            for (; inner >= 0 && tree[inner] == depth; inner--)
            {
                innerHere++;
            }

            var leavesHere = available - innerHere;
            _lengthCounts[depth] = leavesHere;
            left -= leavesHere;
            available = 2 * innerHere;
        }
    }

    /// <summary>The lighter of the next inner node and the next leaf; an inner node's weight is replaced by its parent's index.</summary>
    private static int TakeSmaller(Span<int> tree, ref int node, ref int leaf, int parent)
    {
        if (leaf >= tree.Length || (node < parent && tree[node] < tree[leaf]))
        {
            var weight = tree[node];
            tree[node++] = parent;
            return weight;
        }

        return tree[leaf++];
    }

    /// <summary>Shortens codes over the limit and lengthens others until Kraft's sum is one again.</summary>
    private void Limit()
    {
        var total = 0L;
        for (var length = _lengthCounts.Length - 1; length > 0; length--)
        {
            if (length > maxLength)
            {
                _lengthCounts[maxLength] += _lengthCounts[length];
                _lengthCounts[length] = 0;
            }
            else
            {
                total += (long)_lengthCounts[length] << (maxLength - length);
            }
        }

        for (; total > 1L << maxLength; total--)
        {
            _lengthCounts[maxLength]--;
            var shorter = maxLength - 1;
            while (_lengthCounts[shorter] == 0)
            {
                shorter--;
            }

            _lengthCounts[shorter]--;
            _lengthCounts[shorter + 1] += 2;
        }
    }

    private void Assign(int used)
    {
        Array.Clear(Lengths);
        var at = 0;
        for (var length = maxLength; length > 0; length--)
        {
            for (var i = _lengthCounts[length]; i > 0; i--)
            {
                Lengths[_sorted[at++] & ((1 << SymbolBits) - 1)] = (byte)length;
            }
        }

        System.Diagnostics.Debug.Assert(at == used, "every symbol has a code");
        Span<int> next = stackalloc int[maxLength + 2];
        var code = 0;
        for (var length = 1; length <= maxLength; length++)
        {
            next[length] = code;
            code = (code + _lengthCounts[length]) << 1;
        }

        for (var symbol = 0; symbol < symbols; symbol++)
        {
            if (Lengths[symbol] is > 0 and var length)
            {
                Codes[symbol] = Reverse(next[length]++, length);
            }
        }
    }

    private static ushort Reverse(int code, int length)
    {
        // Swaps halves of ever smaller parts.
        var bits = (uint)code << (16 - length);
        bits = ((bits >> 1) & 0x5555) | ((bits & 0x5555) << 1);
        bits = ((bits >> 2) & 0x3333) | ((bits & 0x3333) << 2);
        bits = ((bits >> 4) & 0x0F0F) | ((bits & 0x0F0F) << 4);
        return (ushort)((bits >> 8) | (bits << 8));
    }
}
