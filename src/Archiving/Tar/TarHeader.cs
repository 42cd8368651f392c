using System.Globalization;
using System.Text;

namespace Gateway.Archiving.Tar;

/// <summary>
/// Decides which blocks precede an entry's body: one ustar block, and a pax extended header before it if the name or the size
/// does not fit.
/// </summary>
internal static class TarHeader
{
    /// <summary>"At the end of the archive file there shall be two 512-octet logical records filled with binary zeros."</summary>
    public const int TrailerLength = 2 * TarBlock.Size;

    // What readers without pax support see instead of a name that does not fit.
    private const string PaxDirectory = "PaxHeaders/";

    /// <summary>The header of an entry, a whole number of blocks.</summary>
    public static byte[] Encode(in ArchiveEntry entry)
    {
        var name = Encoding.UTF8.GetBytes(entry.Name);
        var split = SplitForUstar(name);
        var sizeFits = entry.Size <= TarBlock.MaxNumber;
        var records = EncodePax(entry, nameFits: split >= 0, sizeFits);

        var header = new byte[(records.Length == 0 ? 0 : TarBlock.Size + Padded(records.Length)) + TarBlock.Size];
        var rest = header.AsSpan();
        var modified = Math.Clamp(entry.Modified.ToUnixTimeSeconds(), 0, TarBlock.MaxNumber);
        if (records.Length > 0)
        {
            var pax = new TarBlock(rest) { TypeFlag = TarBlock.PaxHeader, FileSize = records.Length, ModifiedSeconds = modified };
            WriteAsciiName(pax.Name, PaxDirectory + LastSegment(entry.Name));
            pax.Seal();
            records.CopyTo(rest[TarBlock.Size..]);
            rest = rest[(TarBlock.Size + Padded(records.Length))..];
        }

        var file = new TarBlock(rest)
        {
            TypeFlag = TarBlock.RegularFile,
            FileSize = sizeFits ? entry.Size : 0,
            ModifiedSeconds = modified,
        };
        if (split > 0)
        {
            name.AsSpan(0, split).CopyTo(file.Prefix);
            name.AsSpan(split + 1).CopyTo(file.Name);
        }
        else if (split == 0)
        {
            name.CopyTo(file.Name);
        }
        else
        {
            WriteAsciiName(file.Name, entry.Name);
        }

        file.Seal();
        return header;
    }

    /// <summary>Zeros after a body, up to a whole block.</summary>
    public static int GetPadding(long size) => (int)(-size & (TarBlock.Size - 1));

    /// <summary>The length rounded up to whole blocks.</summary>
    public static int Padded(int length) => (length + TarBlock.Size - 1) & -TarBlock.Size;

    private static byte[] EncodePax(in ArchiveEntry entry, bool nameFits, bool sizeFits)
    {
        if (nameFits && sizeFits)
        {
            return [];
        }

        var records = new StringBuilder();
        if (!nameFits)
        {
            PaxRecords.Append(records, "path", entry.Name);
        }

        if (!sizeFits)
        {
            PaxRecords.Append(records, "size", entry.Size.ToString(CultureInfo.InvariantCulture));
        }

        return Encoding.UTF8.GetBytes(records.ToString());
    }

    /// <summary>0: the name field alone holds it. Above: the slash that separates prefix and name. −1: ustar cannot hold it.</summary>
    private static int SplitForUstar(ReadOnlySpan<byte> name)
    {
        if (!Ascii.IsValid(name))
        {
            return -1;
        }

        if (name.Length <= TarBlock.NameWidth)
        {
            return 0;
        }

        // The last slash whose prefix still fits leaves the shortest name.
        var prefixRoom = name[..Math.Min(name.Length, TarBlock.PrefixWidth + 1)];
        var slash = prefixRoom.LastIndexOf((byte)'/');
        var nameLength = name.Length - slash - 1;
        return slash > 0 && nameLength is > 0 and <= TarBlock.NameWidth ? slash : -1;
    }

    private static void WriteAsciiName(Span<byte> field, string name)
    {
        var length = Math.Min(field.Length, name.Length);
        for (var i = 0; i < length; i++)
        {
            field[i] = char.IsAscii(name[i]) ? (byte)name[i] : (byte)'_';
        }
    }

    private static string LastSegment(string name) => name[(name.LastIndexOf('/') + 1)..];
}
