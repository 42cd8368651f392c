using System.Buffers.Binary;
using System.Text;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Encoders;
using Gateway.Archiving.Resuming;

namespace Gateway.Archiving.Zip;

/// <summary>
/// The records of one entry (PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.9 and 4.3.12). Everything except the checksum, the compressed
/// length and the offset is known beforehand, so the layout can compute the length of each record.
/// </summary>
internal sealed class ZipEntry
{
    /// <summary>The value of a four-byte field whose actual value is in the Zip64 record.</summary>
    public const uint In64 = 0xFFFFFFFF;

    /// <summary>Made by Unix (3), which defines the meaning of the external attributes.</summary>
    public const ushort MadeByUnix = 3 << 8;

    public const ushort VersionZip64 = 45;

    private const uint LocalSignature = 0x04034B50;
    private const uint DescriptorSignature = 0x08074B50;
    private const uint CentralSignature = 0x02014B50;
    private const int LocalFixed = 30;
    private const int CentralFixed = 46;
    private const ushort VersionDeflate = 20;
    private const ushort FlagDescriptor = 1 << 3;
    private const ushort FlagUtf8 = 1 << 11;
    private const ushort MethodDeflate = 8;

    // S_IFREG | 0644, in the upper half.
    private const uint RegularFile = 0x81A4u << 16;

    // "Zip64 extended information" and Info-ZIP's "extended timestamp" with only the modification time.
    private const ushort Zip64Id = 0x0001;
    private const ushort TimestampId = 0x5455;
    private const int ExtraHeader = 4;
    private const int TimestampLength = ExtraHeader + 1 + 4;

    private readonly byte[] _name;
    private readonly bool _isZip64;
    private readonly uint _modified;
    private readonly int? _timestamp;

    public ZipEntry(in ArchiveEntry entry, ArchiveRecipe recipe)
    {
        Entry = entry;
        _name = Encoding.UTF8.GetBytes(entry.Name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_name.Length, ushort.MaxValue, nameof(entry));
        HasBody = entry.Size > 0;
        MaxEncodedLength = HasBody
            ? checked(EncoderCatalogue.Get(recipe).MaxLength(entry.Size) + StoredDeflate.Final.Length)
            : 0;
        EncodedLength = recipe.Compression == Compression.Store || !HasBody ? MaxEncodedLength : null;
        _isZip64 = MaxEncodedLength >= In64;
        _modified = ToDosTime(entry.Modified);
        var seconds = entry.Modified.ToUnixTimeSeconds();
        _timestamp = seconds is >= 0 and <= int.MaxValue ? (int)seconds : null;
    }

    public ArchiveEntry Entry { get; }

    /// <summary>Whether there is a body: a deflate stream, followed by its checksum and lengths, which are not known before it. An
    /// empty entry has neither.</summary>
    public bool HasBody { get; }

    /// <summary>The maximum length of the body, including the block that ends it.</summary>
    public long MaxEncodedLength { get; }

    /// <summary>The length of the body; null if known only after compressing it.</summary>
    public long? EncodedLength { get; }

    public int HeaderLength => LocalFixed + _name.Length + (_isZip64 ? ExtraHeader + 16 : 0) + (_timestamp is null ? 0 : TimestampLength);

    public int DescriptorLength => !HasBody ? 0 : _isZip64 ? 24 : 16;

    private ushort Version => _isZip64 ? VersionZip64 : VersionDeflate;

    private ushort Flags => (ushort)(FlagUtf8 | (HasBody ? FlagDescriptor : 0));

    private ushort Method => HasBody ? MethodDeflate : (ushort)0;

    /// <summary>The length of the entry's record in the central directory.</summary>
    public int CentralLength(long offset) => CentralFixed + _name.Length + Zip64Length(offset) + (_timestamp is null ? 0 : TimestampLength);

    public int WriteHeader(Span<byte> output)
    {
        var record = new Record(output);
        record.Put(LocalSignature);
        record.Put(Version);
        PutCommon(ref record);

        // Values that follow the body are zero here (section 4.4.4), except the Zip64 marks, which make the descriptor's fields wide. The
        // same applies if the lengths are known: with lengths here, npm's unzipper would not expect a descriptor.
        record.Put(0u);
        record.Put(_isZip64 ? In64 : 0);
        record.Put(_isZip64 ? In64 : 0);
        record.Put((ushort)_name.Length);
        record.Put((ushort)(HeaderLength - LocalFixed - _name.Length));
        record.Put(_name);
        if (_isZip64)
        {
            record.Put(Zip64Id);
            record.Put((ushort)16);
            record.Put((ulong)Entry.Size);
            record.Put(0ul);
        }

        PutTimestamp(ref record);
        return record.Length;
    }

    public int WriteDescriptor(Span<byte> output, EntryResult result)
    {
        var record = new Record(output);
        record.Put(DescriptorSignature);
        record.Put(result.Crc);
        if (_isZip64)
        {
            record.Put((ulong)result.EncodedLength);
            record.Put((ulong)Entry.Size);
        }
        else
        {
            record.Put((uint)result.EncodedLength);
            record.Put((uint)Entry.Size);
        }

        return record.Length;
    }

    public int WriteCentral(Span<byte> output, EntryResult result, long offset)
    {
        var record = new Record(output);
        record.Put(CentralSignature);
        var version = Zip64Length(offset) > 0 ? VersionZip64 : Version;
        record.Put((ushort)(MadeByUnix | version));
        record.Put(version);
        PutCommon(ref record);
        record.Put(result.Crc);
        record.Put(_isZip64 ? In64 : (uint)result.EncodedLength);
        record.Put(_isZip64 ? In64 : (uint)Entry.Size);
        record.Put((ushort)_name.Length);
        record.Put((ushort)(CentralLength(offset) - CentralFixed - _name.Length));
        record.Put((ushort)0); // comment
        record.Put((ushort)0); // disk
        record.Put((ushort)0); // internal attributes
        record.Put(RegularFile);
        record.Put(offset >= In64 ? In64 : (uint)offset);
        record.Put(_name);
        if (Zip64Length(offset) is > 0 and var length)
        {
            record.Put(Zip64Id);
            record.Put((ushort)(length - ExtraHeader));
            if (_isZip64)
            {
                record.Put((ulong)Entry.Size);
                record.Put((ulong)result.EncodedLength);
            }

            if (offset >= In64)
            {
                record.Put((ulong)offset);
            }
        }

        PutTimestamp(ref record);
        return record.Length;
    }

    private int Zip64Length(long offset)
    {
        var values = (_isZip64 ? 16 : 0) + (offset >= In64 ? 8 : 0);
        return values > 0 ? ExtraHeader + values : 0;
    }

    private void PutCommon(ref Record record)
    {
        record.Put(Flags);
        record.Put(Method);
        record.Put(_modified);
    }

    private void PutTimestamp(ref Record record)
    {
        if (_timestamp is { } seconds)
        {
            record.Put(TimestampId);
            record.Put((ushort)(TimestampLength - ExtraHeader));
            record.Put((byte)1);
            record.Put((uint)seconds);
        }
    }

    /// <summary>DOS time in UTC: two-second resolution, 1980 to 2107, no time zone. Time in the lower half, date in the upper.</summary>
    private static uint ToDosTime(DateTimeOffset modified)
    {
        var time = modified.UtcDateTime;
        return time.Year < 1980 ? (1 << 21) | (1 << 16)
            : time.Year > 2107 ? (127u << 25) | (12 << 21) | (31 << 16) | (23 << 11) | (59 << 5) | 29
            : (uint)(((time.Year - 1980) << 25) | (time.Month << 21) | (time.Day << 16) | (time.Hour << 11) | (time.Minute << 5) | (time.Second / 2));
    }

    /// <summary>Consecutive little-endian fields.</summary>
    internal ref struct Record(Span<byte> output)
    {
        private readonly Span<byte> _output = output;

        public int Length { get; private set; }

        private Span<byte> Rest => _output[Length..];

        public void Put(byte value)
        {
            Rest[0] = value;
            Length++;
        }

        public void Put(ushort value)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(Rest, value);
            Length += sizeof(ushort);
        }

        public void Put(uint value)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(Rest, value);
            Length += sizeof(uint);
        }

        public void Put(ulong value)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(Rest, value);
            Length += sizeof(ulong);
        }

        public void Put(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(Rest);
            Length += bytes.Length;
        }
    }
}
