using System.Globalization;

namespace Gateway.Storage.Paths;

/// <summary>
/// Finds segments that mean "here" or "one up" (RFC 3986, section 3.3), in every spelling that an intermediate server may interpret so.
/// A path without them cannot leave the prefix before it.
/// </summary>
/// <remarks>
/// Percent-encoded dots, slashes and backslashes count at any depth (<c>%2e</c>, <c>%252e</c> …), because it is unknown how often
/// storage decodes. A backslash separates segments, as on Windows. Parameters do not hide a segment: Tomcat reads <c>..;a=b</c>
/// as <c>..</c>.
/// </remarks>
public static class DotSegments
{
    private const int MaxDots = 2;

    /// <summary>Whether a path has such a segment. Linear in the path's length.</summary>
    public static bool IsIn(ReadOnlySpan<char> path)
    {
        // Number of dots at the beginning of the current segment; -1 once it contains anything else.
        var dots = 0;
        foreach (var c in path.Contains('%') ? Decode(path) : path)
        {
            switch (c)
            {
                case '/' or '\\' when dots > 0:
                case ';' when dots > 0:
                    return true;
                case '/' or '\\':
                    dots = 0;
                    break;
                case '.' when dots is >= 0 and < MaxDots:
                    dots++;
                    break;
                default:
                    dots = -1;
                    break;
            }
        }

        return dots > 0;
    }

    /// <summary>The path without any percent-encoding. Each digit of an escape may be encoded itself, so it is read from its end.</summary>
    private static ReadOnlySpan<char> Decode(ReadOnlySpan<char> path)
    {
        var decoded = new char[path.Length];
        var start = decoded.Length;
        for (var i = path.Length - 1; i >= 0; i--)
        {
            decoded[--start] = path[i];
            while (ReadEscape(decoded.AsSpan(start)) is (var c, > 0 and var length))
            {
                start += length - 1;
                decoded[start] = c;
            }
        }

        return decoded.AsSpan(start);
    }

    /// <summary>Reads <c>%2e</c> (RFC 3986, section 2.1), or <c>%u002e</c> as IIS does. The length is 0 if the text does not begin with either.</summary>
    private static (char Character, int Length) ReadEscape(ReadOnlySpan<char> text)
    {
        var (start, length) = text is ['%', 'u' or 'U', ..] ? (2, 6) : (1, 3);
        return text is ['%', ..] && text.Length >= length
            && ushort.TryParse(text[start..length], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            ? ((char)code, length)
            : default;
    }
}
