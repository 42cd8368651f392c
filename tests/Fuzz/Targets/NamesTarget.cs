using System.Formats.Tar;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using Gateway.Archiving;
using Gateway.Requests;
using Gateway.Storage.Paths;

namespace Fuzz.Targets;

/// <summary>Names, one per line: every valid name is read back unchanged from every format.</summary>
internal static class NamesTarget
{
    private static readonly DateTimeOffset Modified = new(2026, 1, 2, 3, 4, 6, TimeSpan.Zero);

    public static void Run(byte[] input)
    {
        var names = Encoding.UTF8.GetString(input).Split('\n').Where(name => EntryNames.Unsafe(name) is null).Distinct(StringComparer.Ordinal).ToArray();
        var collides = EntryNames.Collisions(names).Any();
        FuzzTarget.Require(collides || names.Select(AsComparedByEye).Distinct(StringComparer.OrdinalIgnoreCase).Count() == names.Length, "names that look alike collide");
        if (names.Length == 0 || collides)
        {
            return;
        }

        using var tar = new TarReader(new MemoryStream(Write(ArchiveFormat.Tar, names)));
        using var zip = new ZipArchive(new MemoryStream(Write(ArchiveFormat.Zip, names)));
        FuzzTarget.Require(zip.Entries.Count == names.Length, "a zip has as many entries as were written");
        for (var i = 0; i < names.Length; i++)
        {
            var entry = tar.GetNextEntry();
            FuzzTarget.Require(entry?.Name == names[i] && entry is { EntryType: TarEntryType.RegularFile, Length: var length } && length == i % 3, "a tar contains every name");
            FuzzTarget.Require(zip.Entries[i].FullName == names[i] && zip.Entries[i].Length == i % 3, "a zip contains every name");
        }

        FuzzTarget.Require(tar.GetNextEntry() is null, "a tar ends after its entries");
    }

    private static string AsComparedByEye(string name) =>
        string.Concat(name.EnumerateRunes().Where(rune => !HiddenCharacters.IsHidden(rune))).Normalize(NormalizationForm.FormKC);

    private static byte[] Write(ArchiveFormat format, string[] names)
    {
        using var output = new MemoryStream();
        var archive = ArchiveWriter.Create(new ArchiveRecipe(format), PipeWriter.Create(output));
        for (var i = 0; i < names.Length; i++)
        {
            archive.WriteEntryAsync(new ArchiveEntry(names[i], i % 3, Modified), new MemoryStream(new byte[i % 3])).GetAwaiter().GetResult();
        }

        archive.FinishAsync().AsTask().GetAwaiter().GetResult();
        archive.Complete();
        return output.ToArray();
    }
}
