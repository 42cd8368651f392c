using System.Text;
using Gateway.Archiving;
using Gateway.Storage.Paths;

namespace Gateway.Requests;

/// <summary>The file name that a browser is offered: the client's name, sanitized instead of rejected.</summary>
internal static class DownloadName
{
    private const int MaxBytes = 150;
    private const string Default = "bundle";

    public static string From(string text)
    {
        var name = new StringBuilder();
        var bytes = 0;
        foreach (var rune in HiddenCharacters.Replace(text, static _ => "_").EnumerateRunes())
        {
            var safe = rune.IsAscii && "<>:\"/\\|?*%".Contains((char)rune.Value) ? new Rune('_') : rune;
            bytes += safe.Utf8SequenceLength;
            if (bytes > MaxBytes)
            {
                break;
            }

            name.Append(safe);
        }

        // Truncation may have left the joiner of an emoji without its second half.
        var trimmed = name.ToString().Trim(' ', '.', '\u200D');
        return EntryNames.Unsafe(trimmed) is not null ? Default
            : EntryNames.Unportable(trimmed) is not null ? $"_{trimmed}" // a Windows device name
            : trimmed;
    }

    /// <summary>The name without the extension of its archive, for clients that send <c>name=photos.zip</c>.</summary>
    public static string WithoutExtension(string name, ArchiveFormat format)
    {
        var extension = FormatNames.GetExtensions(format).FirstOrDefault(extension => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase));
        return extension is not null && name[..^extension.Length].Trim(' ', '.') is { Length: > 0 } stem ? stem : name;
    }
}
