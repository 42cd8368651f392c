using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Archiving.Blocks;

/// <summary>
/// Turns one block of plain bytes into something that refers to nothing before it and ends on a byte, so that the results of any
/// blocks can be put one after the other: deflate blocks (RFC 1951) that are not marked as last, or a Zstandard frame.
/// Encoders hold no state between blocks and may be used by any number of threads.
/// </summary>
internal abstract class BlockEncoder
{
    private string? _fingerprint;
    private BlockPool? _blocks;
    private bool _isTested;

    /// <summary>The encoder's name in plans and logs.</summary>
    public abstract string Name { get; }

    /// <summary>Plain bytes of a block, all but the last.</summary>
    public virtual int BlockSize => ArchiveRecipe.BlockSize;

    /// <summary>Memory for plain blocks.</summary>
    public virtual BlockPool Blocks => _blocks ?? Interlocked.CompareExchange(ref _blocks, new BlockPool(BlockSize), null) ?? _blocks;

    /// <summary>Whether it never compresses.</summary>
    public virtual bool Stores => false;

    /// <summary>The name, and a hash of a fixed block as this process compresses it.</summary>
    public string Fingerprint => _fingerprint ??= Probe();

    /// <summary>How a block is kept that does not shrink.</summary>
    public virtual StoredBlock Stored => StoredDeflate.Instance;

    /// <summary>Bytes of output that <see cref="TryEncode"/> may use for a block of so many bytes.</summary>
    public virtual int RoomFor(int plainLength) => plainLength;

    /// <summary>At most so many bytes come out of a block.</summary>
    public int MaxLength(int plainLength) => Math.Max(RoomFor(plainLength), Stored.EncodedLength(plainLength));

    /// <summary>At most so many bytes come out of a stream.</summary>
    public long MaxLength(long plainLength)
    {
        var (blocks, rest) = Math.DivRem(plainLength, BlockSize);
        return checked((blocks * MaxLength(BlockSize)) + MaxLength((int)rest));
    }

    /// <summary>Encodes a block into <paramref name="output"/>, which has room for <see cref="MaxLength(int)"/> bytes.</summary>
    /// <returns>The bytes written.</returns>
    public int Encode(ReadOnlySpan<byte> plain, Memory<byte> output)
    {
        var length = TryEncode(plain, output[..RoomFor(plain.Length)]);
        return length > 0 ? length : Stored.Write(plain, output.Span);
    }

    /// <summary>Compresses a block if the result fits into the output.</summary>
    /// <param name="plain">At most <see cref="BlockSize"/> bytes.</param>
    /// <param name="output">Has <see cref="RoomFor"/> bytes.</param>
    /// <returns>The bytes written, or 0 when it does not shrink and has to be stored.</returns>
    public abstract int TryEncode(ReadOnlySpan<byte> plain, Memory<byte> output);

    /// <summary>Encodes a block, decodes it, and compares, once in a process.</summary>
    /// <exception cref="NotSupportedException">It did not come back.</exception>
    public void SelfTest()
    {
        if (_isTested)
        {
            return;
        }

        var plain = ProbeBlock();
        if (!Decode(EncodeProbe(plain)).AsSpan().SequenceEqual(plain))
        {
            throw new NotSupportedException($"the encoder {Name} does not give its own bytes back");
        }

        _isTested = true;
    }

    /// <summary>Gives back what was encoded, by other code than ours.</summary>
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
