namespace Gateway.Archiving.Tar;

/// <summary>
/// One 512-byte header block of the ustar interchange format (POSIX.1-2017, pax, "ustar Interchange Format"). Every offset and
/// width of the format is defined only here.
/// </summary>
internal readonly ref struct TarBlock
{
    public const int Size = 512;
    public const int NameWidth = 100;
    public const int PrefixWidth = 155;

    /// <summary>The largest number that eleven octal digits hold: 8 GiB − 1, and as a time the year 2242.</summary>
    public const long MaxNumber = 0x1_FFFF_FFFF;

    public const byte RegularFile = (byte)'0';
    public const byte PaxHeader = (byte)'x';

    private readonly Span<byte> _block;

    public TarBlock(Span<byte> block)
    {
        _block = block[..Size];
        _block.Clear();
        "0000644\0"u8.CopyTo(_block[100..]); // mode
        "0000000\0"u8.CopyTo(_block[108..]); // uid
        "0000000\0"u8.CopyTo(_block[116..]); // gid
        "ustar\0"u8.CopyTo(_block[257..]);   // magic
        "00"u8.CopyTo(_block[263..]);        // version
        "0000000\0"u8.CopyTo(_block[329..]); // devmajor
        "0000000\0"u8.CopyTo(_block[337..]); // devminor
    }

    public Span<byte> Name => _block[..NameWidth];

    public Span<byte> Prefix => _block.Slice(345, PrefixWidth);

    public long FileSize
    {
        set => WriteOctal(_block.Slice(124, 12), value);
    }

    public long ModifiedSeconds
    {
        set => WriteOctal(_block.Slice(136, 12), value);
    }

    public byte TypeFlag
    {
        set => _block[156] = value;
    }

    /// <summary>The sum of all bytes with the field itself taken as spaces; six digits, NUL, space, as every tar writes it.</summary>
    public void Seal()
    {
        var checksum = _block.Slice(148, 8);
        checksum.Fill((byte)' ');
        var sum = 0;
        foreach (var b in _block)
        {
            sum += b;
        }

        WriteOctal(checksum[..7], sum);
    }

    private static void WriteOctal(Span<byte> field, long value)
    {
        field[^1] = 0;
        for (var i = field.Length - 2; i >= 0; i--, value >>= 3)
        {
            field[i] = (byte)('0' + (value & 7));
        }
    }
}
