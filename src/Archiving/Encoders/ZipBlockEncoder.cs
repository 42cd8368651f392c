using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Encoders;

/// <summary>
/// Deflate for the bodies of a zip. A block that does not shrink and contains signatures of zip records, like an archive within the
/// archive, is stored in pieces that end within each signature. Some streaming readers search for signatures instead of
/// decoding the body: npm's unzipper and fflate's <c>Unzip</c>.
/// </summary>
internal sealed class ZipBlockEncoder(BlockEncoder deflate) : BlockEncoder
{
    // Further signatures stay whole, which bounds the cost of malicious content to 0.25 %.
    private const int MaxCuts = 64;

    public override string Name => deflate.Name;

    public override int BlockSize => deflate.BlockSize;

    public override BlockPool Blocks => deflate.Blocks;

    public override int RoomFor(int plainLength) => Stored.EncodedLength(plainLength) + (MaxCuts * Stored.HeaderLength);

    public override int TryEncode(ReadOnlySpan<byte> plain, Memory<byte> output)
    {
        var length = deflate.TryEncode(plain, output[..plain.Length]);
        return length > 0 ? length : StoreInPieces(plain, output.Span);
    }

    /// <returns>The number of bytes written, or 0 if the block contains no signature.</returns>
    private int StoreInPieces(ReadOnlySpan<byte> plain, Span<byte> output)
    {
        var length = 0;
        for (var cuts = 0; cuts < MaxCuts && FindSignature(plain) is >= 0 and var at; cuts++)
        {
            // Up to and including the signature's first byte.
            length += Stored.Write(plain[..(at + 1)], output[length..]);
            plain = plain[(at + 1)..];
        }

        return length == 0 ? 0 : length + Stored.Write(plain, output[length..]);
    }

    /// <summary>The position of the first signature of a local header, descriptor, central header or end record; -1 if there is none.</summary>
    private static int FindSignature(ReadOnlySpan<byte> plain)
    {
        for (var from = 0; plain[from..].IndexOf("PK"u8) is >= 0 and var at; from += at + 2)
        {
            var type = plain[(from + at + 2)..];
            if (type is [1, 2, ..] or [3, 4, ..] or [5, 6, ..] or [7, 8, ..])
            {
                return from + at;
            }
        }

        return -1;
    }
}
