namespace Gateway.Archiving.Zip;

/// <summary>The records that end the central directory (PKWARE APPNOTE 6.3.10, sections 4.3.14 to 4.3.16).</summary>
/// <param name="Entries">Number of records in the directory.</param>
/// <param name="Length">Length of the directory in bytes.</param>
/// <param name="Offset">Its offset in the archive.</param>
internal readonly record struct ZipEnd(int Entries, long Length, long Offset)
{
    public const int MaxLength = Zip64EndLength + LocatorLength + EndLength;

    private const uint Zip64EndSignature = 0x06064B50;
    private const uint LocatorSignature = 0x07064B50;
    private const uint EndSignature = 0x06054B50;
    private const int Zip64EndLength = 56;
    private const int LocatorLength = 20;
    private const int EndLength = 22;

    // The length field of the record counts neither itself nor the signature.
    private const int Zip64EndCounted = Zip64EndLength - 12;

    /// <summary>The length of the records.</summary>
    public int RecordsLength => IsZip64 ? MaxLength : EndLength;

    private bool IsZip64 => Entries >= ushort.MaxValue || Length >= ZipEntry.In64 || Offset >= ZipEntry.In64;

    public int Write(Span<byte> output)
    {
        var record = new ZipEntry.Record(output);
        if (IsZip64)
        {
            record.Put(Zip64EndSignature);
            record.Put((ulong)Zip64EndCounted);
            record.Put((ushort)(ZipEntry.MadeByUnix | ZipEntry.VersionZip64));
            record.Put(ZipEntry.VersionZip64);
            record.Put(0u); // this disk
            record.Put(0u); // the directory's disk
            record.Put((ulong)Entries);
            record.Put((ulong)Entries);
            record.Put((ulong)Length);
            record.Put((ulong)Offset);

            record.Put(LocatorSignature);
            record.Put(0u); // the record's disk
            record.Put((ulong)(Offset + Length));
            record.Put(1u); // disks
        }

        record.Put(EndSignature);
        record.Put((ushort)0); // this disk
        record.Put((ushort)0); // the directory's disk
        record.Put((ushort)Math.Min(Entries, ushort.MaxValue));
        record.Put((ushort)Math.Min(Entries, ushort.MaxValue));
        record.Put((uint)Math.Min(Length, ZipEntry.In64));
        record.Put((uint)Math.Min(Offset, ZipEntry.In64));
        record.Put((ushort)0); // comment
        return record.Length;
    }
}
