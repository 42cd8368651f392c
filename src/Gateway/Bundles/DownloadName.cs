using System.Text;
using Gateway.Archiving;
using Gateway.Telemetry;

namespace Gateway.Bundles;

/// <summary>The file name that a browser is offered: whatever the client sent, made harmless instead of being refused.</summary>
internal static class DownloadName
{
    private const int MaxBytes = 150;
    private const string Default = "bundle";

    public static string From(string text)
    {
        var name = new StringBuilder();
        var bytes = 0;
        foreach (var rune in WithoutHidden(text).EnumerateRunes())
        {
            var safe = rune.IsAscii && "<>:\"/\\|?*%".Contains((char)rune.Value) ? new Rune('_') : rune;
            bytes += safe.Utf8SequenceLength;
            if (bytes > MaxBytes)
            {
                break;
            }

            name.Append(safe);
        }

        // The cut may have left the joiner of an emoji whose second half is gone.
        var trimmed = name.ToString().Trim(' ', '.', '\u200D');
        return EntryNames.Unsafe(trimmed) is not null ? Default
            : EntryNames.Unportable(trimmed) is not null ? $"_{trimmed}" // a device of Windows
            : trimmed;
    }

    /// <summary>The name without the extension that its archive gets, for clients that send <c>name=photos.zip</c>.</summary>
    public static string WithoutExtension(string name, ArchiveFormat format)
    {
        var extension = FormatNames.ExtensionsOf(format).FirstOrDefault(extension => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase));
        return extension is not null && name[..^extension.Length].Trim(' ', '.') is { Length: > 0 } stem ? stem : name;
    }

    private static string WithoutHidden(string text)
    {
        var shown = new StringBuilder(text.Length);
        var rest = text.AsSpan();
        while (HiddenCharacters.IndexIn(rest) is >= 0 and var at)
        {
            shown.Append(rest[..at]).Append('_');
            Rune.DecodeFromUtf16(rest[at..], out _, out var length);
            rest = rest[(at + length)..];
        }

        return shown.Append(rest).ToString();
    }
}
