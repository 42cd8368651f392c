using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Gateway.Archiving.Deflate;

/// <summary>
/// Turns a complete deflate stream (RFC 1951) into a part of a longer one: its last block is no longer marked as last, and an
/// empty stored block after it ends on a byte.
/// </summary>
/// <remarks>
/// The positions of the last block and of the stream's last bit are known only after scanning all symbols:
/// for each, one table lookup gives its length in bits, including extra bits and distance. Nothing is decoded. Input that is not
/// deflate is rejected. The scan never reads past the stream and advances by at least one bit with every step.
/// </remarks>
internal sealed class DeflateTailRewriter
{
    private const int MaxCodeLength = 15;
    private const int LiteralSymbols = 288;
    private const int DistanceSymbols = 30;
    private const int EndOfBlock = 256;

    // A table entry: bits to skip, and whether a distance follows or the block ends.
    private const ushort Distance = 0x100;
    private const ushort End = 0x200;
    private const ushort SkipMask = 0xFF;

    private static ReadOnlySpan<byte> LengthOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private readonly ushort[] _literals = new ushort[1 << MaxCodeLength];
    private readonly ushort[] _distances = new ushort[1 << MaxCodeLength];
    private readonly ushort[] _lengths = new ushort[1 << 7];
    private readonly byte[] _codeLengths = new byte[LiteralSymbols + 32];

    private byte[] _stream = [];
    private int _length;
    private long _bit;

    /// <summary>The number of bytes that <see cref="Open"/> may add.</summary>
    public const int Growth = 5;

    /// <summary>Rewrites a stream at the start of <paramref name="buffer"/>.</summary>
    /// <param name="buffer">The stream, followed by room for <see cref="Growth"/> more bytes.</param>
    /// <param name="length">Length of the stream in bytes.</param>
    /// <returns>Length of the result in bytes.</returns>
    /// <exception cref="InvalidDataException">It is not a complete deflate stream.</exception>
    public int Open(byte[] buffer, int length)
    {
        _stream = buffer;
        _length = length;
        _bit = 0;
        long header;
        bool isLast;
        do
        {
            header = _bit;
            isLast = Take(1) == 1;
            switch (Take(2))
            {
                case 0:
                    SkipStored();
                    break;
                case 1:
                    UseFixedCodes();
                    SkipSymbols();
                    break;
                case 2:
                    ReadCodes();
                    SkipSymbols();
                    break;
                default:
                    throw Malformed();
            }
        }
        while (!isLast);

        buffer[header >> 3] &= (byte)~(1 << (int)(header & 7));

        // Three header bits, all zero, and zeros up to the byte; then LEN and NLEN of an empty block.
        var end = (int)((_bit + 3 + 7) >> 3);
        if ((_bit & 7) != 0)
        {
            buffer[_bit >> 3] &= (byte)((1 << (int)(_bit & 7)) - 1);
        }

        buffer.AsSpan((int)((_bit + 7) >> 3), end - (int)((_bit + 7) >> 3)).Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.AsSpan(end), 0xFFFF0000);
        return end + sizeof(uint);
    }

    private static InvalidDataException Malformed() => new("An encoder did not return a complete deflate stream.");

    /// <summary>The next bits, at least 56 of them; zeros past the end of the stream.</summary>
    private ulong Peek()
    {
        var at = (int)(_bit >> 3);
        if (at + sizeof(ulong) <= _length)
        {
            return MemoryMarshal.Read<ulong>(_stream.AsSpan(at)) >> (int)(_bit & 7);
        }

        var bits = 0UL;
        for (var i = 0; i < sizeof(ulong) && at + i < _length; i++)
        {
            bits |= (ulong)_stream[at + i] << (8 * i);
        }

        return bits >> (int)(_bit & 7);
    }

    private void Skip(int bits)
    {
        _bit += bits;
        if (_bit > (long)_length << 3)
        {
            throw Malformed();
        }
    }

    private int Take(int bits)
    {
        var value = (int)(Peek() & ((1u << bits) - 1));
        Skip(bits);
        return value;
    }

    /// <summary>RFC 1951, section 3.2.4.</summary>
    private void SkipStored()
    {
        Skip((int)(-_bit & 7));
        var length = Take(16);
        Skip(16 + (length << 3));
    }

    private void SkipSymbols()
    {
        while (true)
        {
            var bits = Peek();
            var entry = _literals[bits & ((1 << MaxCodeLength) - 1)];
            var skip = entry & SkipMask;
            if (entry >= Distance)
            {
                if (entry >= End)
                {
                    Skip(skip);
                    return;
                }

                // At most 20 bits for the length and 28 for the distance: fewer than were peeked.
                var distance = _distances[(bits >> skip) & ((1 << MaxCodeLength) - 1)];
                skip = distance == 0 ? 0 : skip + distance;
            }

            if (skip == 0)
            {
                throw Malformed();
            }

            Skip(skip);
        }
    }

    /// <summary>RFC 1951, section 3.2.6.</summary>
    private void UseFixedCodes()
    {
        var lengths = _codeLengths.AsSpan(0, LiteralSymbols);
        lengths[..144].Fill(8);
        lengths[144..256].Fill(9);
        lengths[256..280].Fill(7);
        lengths[280..].Fill(8);
        Build(_literals, MaxCodeLength, lengths, LiteralEntry);
        lengths[..DistanceSymbols].Fill(5);
        Build(_distances, MaxCodeLength, lengths[..DistanceSymbols], DistanceEntry);
    }

    /// <summary>RFC 1951, section 3.2.7.</summary>
    private void ReadCodes()
    {
        var literals = Take(5) + 257;
        var all = literals + Take(5) + 1;
        var count = Take(4) + 4;
        Span<byte> ofLengths = stackalloc byte[LengthOrder.Length];
        ofLengths.Clear();
        for (var i = 0; i < count; i++)
        {
            ofLengths[LengthOrder[i]] = (byte)Take(3);
        }

        Build(_lengths, 7, ofLengths, static (symbol, length) => (ushort)((symbol << 8) | length));
        for (var i = 0; i < all;)
        {
            var entry = _lengths[Peek() & 0x7F];
            Skip((entry & SkipMask) is > 0 and var length ? length : throw Malformed());
            var symbol = entry >> 8;
            var (value, times) = symbol switch
            {
                < 16 => ((byte)symbol, 1),
                16 => (i > 0 ? _codeLengths[i - 1] : throw Malformed(), 3 + Take(2)),
                17 => ((byte)0, 3 + Take(3)),
                _ => ((byte)0, 11 + Take(7)),
            };
            if (times > all - i)
            {
                throw Malformed();
            }

            _codeLengths.AsSpan(i, times).Fill(value);
            i += times;
        }

        Build(_literals, MaxCodeLength, _codeLengths.AsSpan(0, literals), LiteralEntry);
        Build(_distances, MaxCodeLength, _codeLengths.AsSpan(literals, all - literals), DistanceEntry);
    }

    // RFC 1951, section 3.2.5: lengths from symbol 265 on have one more extra bit every four symbols, the last has none.
    private static ushort LiteralEntry(int symbol, int length) => (ushort)(symbol switch
    {
        < EndOfBlock => length,
        EndOfBlock => length | End,
        < 265 or 285 => length | Distance,
        < 285 => (length + ((symbol - 261) >> 2)) | Distance,
        _ => 0,
    });

    // Distances from symbol 4 on have one more extra bit every two symbols.
    private static ushort DistanceEntry(int symbol, int length) => (ushort)(symbol switch
    {
        < 4 => length,
        < DistanceSymbols => length + ((symbol - 2) >> 1),
        _ => 0,
    });

    /// <summary>RFC 1951, section 3.2.2: canonical codes, packed with their first bit lowest.</summary>
    private static void Build(ushort[] table, int tableBits, ReadOnlySpan<byte> lengths, Func<int, int, ushort> entryOf)
    {
        Span<int> counts = stackalloc int[MaxCodeLength + 1];
        Span<int> next = stackalloc int[MaxCodeLength + 1];
        counts.Clear();
        foreach (var length in lengths)
        {
            counts[length]++;
        }

        var code = 0;
        counts[0] = 0;
        for (var length = 1; length <= MaxCodeLength; length++)
        {
            code = (code + counts[length - 1]) << 1;
            next[length] = code;
            if (code + counts[length] > 1 << length)
            {
                throw Malformed();
            }
        }

        table.AsSpan().Clear();
        for (var symbol = 0; symbol < lengths.Length; symbol++)
        {
            if (lengths[symbol] is > 0 and var length)
            {
                var entry = entryOf(symbol, length);
                var reversed = Reverse(next[length]++, length);
                for (var i = reversed; i < 1 << tableBits; i += 1 << length)
                {
                    table[i] = entry;
                }
            }
        }
    }

    private static int Reverse(int code, int length)
    {
        var reversed = 0;
        for (var i = 0; i < length; i++)
        {
            reversed = (reversed << 1) | ((code >> i) & 1);
        }

        return reversed;
    }
}
