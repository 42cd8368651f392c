using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Archiving.Blocks;

/// <summary>
/// Encodes one block independently of all others, into whole bytes. So encoded blocks can be concatenated:
/// deflate blocks (RFC 1951) that are not marked as last, or Zstandard frames.
/// Encoders hold no state between blocks and are thread-safe.
/// </summary>
internal abstract class BlockEncoder
{
    private string? _fingerprint;
    private BlockPool? _blocks;
    private bool _isTested;

    /// <summary>The encoder's name in plans and logs.</summary>
    public abstract string Name { get; }

    /// <summary>Uncompressed bytes of every block except the last.</summary>
    public virtual int BlockSize => ArchiveRecipe.BlockSize;

    /// <summary>Memory for uncompressed blocks.</summary>
    public virtual BlockPool Blocks => _blocks ?? Interlocked.CompareExchange(ref _blocks, new BlockPool(BlockSize), null) ?? _blocks;

    /// <summary>Whether it never compresses.</summary>
    public virtual bool Stores => false;

    /// <summary>The name, and a hash of a fixed block as compressed by this process.</summary>
    public string Fingerprint => _fingerprint ??= Probe();

    /// <summary>How a block is kept that does not shrink.</summary>
    public virtual StoredBlock Stored => StoredDeflate.Instance;

    /// <summary>Bytes of output that <see cref="TryEncode"/> may use for a block of this length.</summary>
    public virtual int RoomFor(int plainLength) => plainLength;

    /// <summary>The maximum encoded length of a block.</summary>
    public int MaxLength(int plainLength) => Math.Max(RoomFor(plainLength), Stored.EncodedLength(plainLength));

    /// <summary>The maximum encoded length of a stream.</summary>
    public long MaxLength(long plainLength)
    {
        var (blocks, rest) = Math.DivRem(plainLength, BlockSize);
        return checked((blocks * MaxLength(BlockSize)) + MaxLength((int)rest));
    }

    /// <summary>Encodes a block into <paramref name="output"/>, which has room for <see cref="MaxLength(int)"/> bytes.</summary>
    /// <returns>The number of bytes written.</returns>
    public int Encode(ReadOnlySpan<byte> plain, Memory<byte> output)
    {
        var length = TryEncode(plain, output[..RoomFor(plain.Length)]);
        return length > 0 ? length : Stored.Write(plain, output.Span);
    }

    /// <summary>Compresses a block if the result fits into the output.</summary>
    /// <param name="plain">At most <see cref="BlockSize"/> bytes.</param>
    /// <param name="output">Has <see cref="RoomFor"/> bytes.</param>
    /// <returns>The number of bytes written, or 0 if the block does not shrink and must be stored.</returns>
    public abstract int TryEncode(ReadOnlySpan<byte> plain, Memory<byte> output);

    /// <summary>Encodes a block, decodes it, and compares; once per process.</summary>
    /// <exception cref="NotSupportedException">The round trip failed.</exception>
    public void SelfTest()
    {
        if (_isTested)
        {
            return;
        }

        var plain = ProbeBlock();
        if (!Decode(EncodeProbe(plain)).AsSpan().SequenceEqual(plain))
        {
            throw new NotSupportedException($"The encoder '{Name}' failed its self-test: the decoded bytes differ.");
        }

        _isTested = true;
    }

    /// <summary>Decodes with an independent implementation.</summary>
    protected virtual byte[] Decode(ReadOnlySpan<byte> encoded)
    {
        using var stream = new MemoryStream([.. encoded, .. StoredDeflate.Final]);
        using var decoded = new MemoryStream();
        using var inflate = new DeflateStream(stream, CompressionMode.Decompress);
        inflate.CopyTo(decoded);
        return decoded.ToArray();
    }

    private string Probe() => $"{Name}-{Convert.ToHexStringLower(SHA256.HashData(EncodeProbe(ProbeBlock())).AsSpan(0, 8))}";

    private byte[] EncodeProbe(byte[] plain)
    {
        var output = new byte[MaxLength(plain.Length)];
        return output[..Encode(plain, output)];
    }

    /// <summary>A fixed block: literals, and matches of many lengths and distances.</summary>
    private protected static byte[] ProbeBlock()
    {
        // Words in an order that never repeats exactly: literals, matches of many lengths and distances.
        var text = new StringBuilder();
        for (var i = 0u; text.Length < 32 * 1024; i++)
        {
            text.Append(i * 2_654_435_761u % 1021).Append(' ').Append(5 + (i % 7)).Append('\n');
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }
}
