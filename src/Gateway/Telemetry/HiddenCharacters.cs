using System.Buffers;

namespace Gateway.Telemetry;

/// <summary>What does not show, or has a terminal do something, or shows the rest in another order: controls, line separators, bidirectional
/// overrides, and the sign for bytes that were no UTF-8.</summary>
internal static class HiddenCharacters
{
    /// <summary>All of them.</summary>
    public static readonly SearchValues<char> All = SearchValues.Create(
        [.. Enumerable.Range(char.MinValue, char.MaxValue + 1).Select(c => (char)c).Where(c => char.IsControl(c) || IsMark(c))]);

    private static bool IsMark(char c) =>
        c is '\u2028' or '\u2029' or '\uFFFD' or '\uFEFF' or '\uFFFE' or '\uFFFF'
        || c is '\u061C' or '\u200E' or '\u200F' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');
}
