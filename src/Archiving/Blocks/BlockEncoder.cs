using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Gateway.Archiving.Zip;
using Gateway.Archiving.Zstd;

namespace Gateway.Archiving.Blocks;

/// <summary>
/// Encodes one block independently of all others, into whole bytes. So encoded blocks can be concatenated:
/// deflate blocks (RFC 1951) that are not marked as last, or Zstandard frames.
/// Encoders hold no state between blocks and are thread-safe.
/// </summary>
internal abstract class BlockEncoder
{
    private static readonly BlockEncoder Managed = new DeflateBlockEncoder();
    private static readonly Lazy<BlockEncoder> Isal = new(IsalBlockEncoder.Load);
    private static readonly Lazy<BlockEncoder> Small = new(() =>
        LibdeflateBlockEncoder.TryLoad(out var libdeflate) ? libdeflate : new ZlibBlockEncoder(6, 9));
    private static readonly BlockEncoder ZipManaged = new ZipBlockEncoder(Managed);
    private static readonly Lazy<BlockEncoder> ZipIsal = new(() => new ZipBlockEncoder(Isal.Value));
    private static readonly Lazy<BlockEncoder> ZipSmall = new(() => new ZipBlockEncoder(Small.Value));
    private static readonly BlockEncoder Store = new StoringBlockEncoder(StoredDeflate.Instance);
    private static readonly BlockEncoder StoreZstd = new StoringBlockEncoder(RawBlock.Instance);
    private static readonly BlockEncoder ZstdFast = new ZstdBlockEncoder(1, ArchiveRecipe.ZstdBlockSize);
    private static readonly BlockEncoder ZstdSmall = new ZstdBlockEncoder(9, ArchiveRecipe.SmallBlockSize);

    private string? _fingerprint;
    private BlockPool? _blocks;
    private bool _isProven;

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

    /// <summary>How a block that does not shrink is stored.</summary>
    public virtual StoredForm Stored => StoredDeflate.Instance;

    /// <exception cref="NotSupportedException">The encoder's library cannot be loaded.</exception>
    public static BlockEncoder For(ArchiveRecipe recipe) => (recipe.Format, recipe.Compression, recipe.FastEncoder) switch
    {
        (ArchiveFormat.TarZst, Compression.Fast, _) => ZstdFast,
        (ArchiveFormat.TarZst, Compression.Small, _) => ZstdSmall,
        (ArchiveFormat.TarZst, Compression.Store, _) => StoreZstd,
        (_, Compression.Store, _) => Store,
        (ArchiveFormat.Zip, Compression.Fast, FastEncoder.Managed) => ZipManaged,
        (ArchiveFormat.Zip, Compression.Fast, FastEncoder.Isal) => ZipIsal.Value,
        (ArchiveFormat.Zip, Compression.Small, _) => ZipSmall.Value,
        (_, Compression.Fast, FastEncoder.Managed) => Managed,
        (_, Compression.Fast, FastEncoder.Isal) => Isal.Value,
        (_, Compression.Small, _) => Small.Value,
        _ => throw new ArgumentOutOfRangeException(nameof(recipe), recipe, "Unknown compression or encoder."),
    };

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
    public void Prove()
    {
        if (_isProven)
        {
            return;
        }

        var plain = ProbeBlock();
        if (!Decode(EncodeProbe(plain)).AsSpan().SequenceEqual(plain))
        {
            throw new NotSupportedException($"The encoder '{Name}' failed its self-test: the decoded bytes differ.");
        }

        _isProven = true;
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

    private static byte[] ProbeBlock()
    {
        // Words in an order that never repeats exactly: literals, matches of many lengths and distances.
        var text = new StringBuilder();
        for (var i = 0u; text.Length < 32 * 1024; i++)
        {
            text.Append(i * 2_654_435_761u % 1021).Append(' ').Append(5 + (i % 7)).Append('\n');
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private sealed class StoringBlockEncoder(StoredForm form) : BlockEncoder
    {
        public override StoredForm Stored => form;

        public override string Name => "store";

        public override int BlockSize => ArchiveRecipe.StoreBlockSize;

        public override bool Stores => true;

        public override int TryEncode(ReadOnlySpan<byte> plain, Memory<byte> output) => 0;

        // A copy needs no test.
        protected override byte[] Decode(ReadOnlySpan<byte> encoded) => encoded.Slice(form.HeaderLength, ProbeBlock().Length).ToArray();
    }
}
