using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.Storage.Paths;

/// <summary>The paths that a lax server may read instead of the one that routing saw: some servers merge slashes (nginx does by default), some decode
/// percent-encoded text once more, and some drop path parameters (Tomcat drops <c>;a=b</c>).</summary>
public static partial class LaxPath
{
    /// <summary>Maximum number of decoding steps until nothing is encoded any more. No accidental encoding is deeper.</summary>
    public const int MaxDecodings = 8;

    private static readonly string[] Marks = ["//", "%", ";"];

    /// <summary>The other paths that a server may read.</summary>
    /// <param name="path">Begins with a slash.</param>
    public static IEnumerable<string> GetReadings(string path)
    {
        if (!Marks.Any(mark => path.Contains(mark, StringComparison.Ordinal)))
        {
            return [];
        }

        var decoded = Decode(path);
        return new[] { Merge(path), Merge(WithoutParameters(path)), Merge(decoded), Merge(WithoutParameters(decoded)), Merge(Decode(WithoutParameters(path))) }.Distinct().Where(reading => reading != path);
    }

    /// <summary>Decodes percent-encoded text (RFC 3986, section 2.1), and <c>%u</c> with four digits as IIS does.</summary>
    public static string DecodeOnce(string text) => Uri.UnescapeDataString(
        IisEncoding().Replace(text, static match => ((char)ushort.Parse(match.ValueSpan[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString()));

    [GeneratedRegex("%[uU][0-9A-Fa-f]{4}", RegexOptions.CultureInvariant)]
    private static partial Regex IisEncoding();

    private static string Decode(string path)
    {
        for (var i = 0; i < MaxDecodings && DecodeOnce(path) is var next && next != path; i++)
        {
            path = next;
        }

        return path;
    }

    private static string WithoutParameters(string path) => string.Join('/', path.Split('/').Select(segment => segment.Split(';', 2)[0]));

    private static string Merge(string path)
    {
        var merged = string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries));
        return merged is "" ? "/" : path.EndsWith('/') ? $"/{merged}/" : "/" + merged;
    }
}
