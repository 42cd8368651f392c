using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Gateway.Telemetry;

namespace Gateway.Bundles;

/// <summary>
/// The rules for keys and for names inside an archive. They are the same for what clients send and for what storage says, and
/// each answers with a reason or with null.
/// </summary>
internal static class EntryNames
{
    /// <summary>Linux opens no longer path (PATH_MAX counts the zero behind it), and unzip cuts a longer name.</summary>
    public const int MaxBytes = 4095;

    private const int MaxSegmentBytes = 255;

    // As many as any script has a use for (UAX #15, section 13); to bring more into their order takes the square of the time.
    private const int MostMarks = 30;

    private static readonly SearchValues<char> WindowsReserved = SearchValues.Create("<>:\"|?*");

    private static readonly FrozenSet<string> Devices = new[] { "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$" }
        .Concat("0123456789¹²³".SelectMany(digit => new[] { "COM" + digit, "LPT" + digit }))
        .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a path can neither leave the folder it is put in nor hide what it is.</summary>
    public static string? Unsafe(string path)
    {
        if (path.Length == 0)
        {
            return "is empty";
        }

        if (path[0] == '/')
        {
            return "begins with a slash";
        }

        var marks = 0;
        for (var i = 0; i < path.Length; i++)
        {
            var c = path[i];
            marks = c >= '\u0300' && CharUnicodeInfo.GetUnicodeCategory(path, i) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark ? marks + 1 : 0;
            if (marks > MostMarks)
            {
                return $"holds more than {MostMarks} combining marks in a row";
            }

            if (char.IsSurrogate(c))
            {
                if (!char.IsHighSurrogate(c) || i + 1 == path.Length || !char.IsLowSurrogate(path[i + 1]))
                {
                    return "holds half a surrogate pair";
                }

                i++;
            }
            else if (HiddenCharacters.All.Contains(c))
            {
                return string.Create(CultureInfo.InvariantCulture, $"holds the character U+{(int)c:X4}, which is not allowed");
            }
            else if (c == '\\')
            {
                return "holds a backslash";
            }
            else if (c == '%' && i + 2 < path.Length && char.IsAsciiHexDigit(path[i + 1]) && char.IsAsciiHexDigit(path[i + 2]))
            {
                return "is still percent-encoded after it was decoded once";
            }
        }

        foreach (var segment in path.AsSpan().Split('/'))
        {
            if (path.AsSpan(segment) is "" or "." or "..")
            {
                return "holds an empty, '.' or '..' segment";
            }
        }

        if (path.Length > 1 && path[1] == ':' && char.IsAsciiLetter(path[0]))
        {
            return "begins with a drive letter";
        }

        return Encoding.UTF8.GetByteCount(path) > MaxBytes ? $"is longer than {MaxBytes} bytes" : null;
    }

    /// <summary>Whether Windows could not unpack a path that is safe.</summary>
    public static string? Unportable(string path)
    {
        foreach (var range in path.AsSpan().Split('/'))
        {
            var segment = path.AsSpan(range);
            if (segment.ContainsAny(WindowsReserved))
            {
                return "holds one of < > : \" | ? *, which Windows cannot unpack";
            }

            if (segment[^1] is '.' or ' ')
            {
                return "has a segment that ends in a dot or a blank, which Windows cannot unpack";
            }

            var stem = segment.IndexOf('.') is >= 0 and var dot ? segment[..dot] : segment;
            if (Devices.GetAlternateLookup<ReadOnlySpan<char>>().Contains(stem.TrimEnd(' ')))
            {
                return "has a segment that is a device on Windows";
            }

            if (Encoding.UTF8.GetByteCount(segment) > MaxSegmentBytes)
            {
                return $"has a segment longer than {MaxSegmentBytes} bytes";
            }
        }

        return null;
    }

    /// <summary>
    /// Names that one folder cannot hold together: equal, equal but for case or Unicode form, or one a folder of the other.
    /// </summary>
    /// <returns>Pairs of places, the earlier first; one pair at the most for each name, so that the answer stays as small as the question.</returns>
    public static IEnumerable<(int First, int Second, string Reason)> Collisions(IReadOnlyList<string> names)
    {
        var places = new Dictionary<string, int>(names.Count, StringComparer.Ordinal);
        var folded = new string[names.Count];
        for (var i = 0; i < names.Count; i++)
        {
            folded[i] = names[i].Normalize(NormalizationForm.FormC).ToUpperInvariant();
            if (!places.TryAdd(folded[i], i))
            {
                var first = places[folded[i]];
                yield return (first, i, names[first] == names[i] ? "the same name twice" : "names equal but for case or Unicode form");
            }
        }

        // In this order everything inside a folder comes right behind a file of the folder's name.
        var order = Enumerable.Range(0, folded.Length).ToArray();
        Array.Sort(order, (x, y) => CompareFoldersFirst(folded[x], folded[y]));
        var file = -1;
        foreach (var i in order)
        {
            if (file >= 0 && folded[i].Length > folded[file].Length && folded[i][folded[file].Length] == '/' && folded[i].StartsWith(folded[file], StringComparison.Ordinal))
            {
                yield return (Math.Min(file, i), Math.Max(file, i), "one name is a folder of the other");
            }
            else
            {
                file = i;
            }
        }
    }

    /// <summary>By characters, the slash before all others.</summary>
    private static int CompareFoldersFirst(string x, string y)
    {
        var common = x.AsSpan().CommonPrefixLength(y);
        return common == x.Length || common == y.Length ? x.Length - y.Length : Rank(x[common]) - Rank(y[common]);

        static int Rank(char c) => c == '/' ? -1 : c;
    }
}
