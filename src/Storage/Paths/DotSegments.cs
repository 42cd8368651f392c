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
        while (!path.IsEmpty)
        {
            var (c, length) = Next(path);
            path = path[length..];
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

    /// <summary>The next character and the number of characters that encode it.</summary>
    private static (char Character, int Length) Next(ReadOnlySpan<char> path)
    {
        if (path[0] != '%')
        {
            return (path[0], 1);
        }

        // Each further level of encoding inserts "25" after the percent sign.
        var at = 1;
        while (path[at..].StartsWith("25"))
        {
            at += 2;
        }

        return path.Length >= at + 2 && char.IsAsciiHexDigit(path[at]) && char.IsAsciiHexDigit(path[at + 1])
            ? ((char)Convert.FromHexString(path.Slice(at, 2))[0], at + 2)
            : ('%', 1);
    }
}
