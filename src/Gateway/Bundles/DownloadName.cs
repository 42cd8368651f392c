using System.Text;
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
        foreach (var rune in text.EnumerateRunes())
        {
            var safe = IsHarmless(rune) ? rune : new Rune('_');
            bytes += safe.Utf8SequenceLength;
            if (bytes > MaxBytes)
            {
                break;
            }

            name.Append(safe);
        }

        var trimmed = name.ToString().Trim(' ', '.');
        return trimmed.Length == 0 ? Default : trimmed;
    }

    private static bool IsHarmless(Rune rune) =>
        !(rune.IsBmp && HiddenCharacters.All.Contains((char)rune.Value))
        && !(rune.IsAscii && "<>:\"/\\|?*%".Contains((char)rune.Value));
}
