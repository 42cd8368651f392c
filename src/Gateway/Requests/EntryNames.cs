using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Gateway.Storage.Paths;

namespace Gateway.Requests;

/// <summary>
/// The rules for keys and for names inside an archive. They are the same for clients' and for storage's names, and
/// each returns a reason or null.
/// </summary>
internal static class EntryNames
{
    /// <summary>Linux opens no longer path (PATH_MAX includes the terminating zero), and unzip truncates a longer name.</summary>
    public const int MaxBytes = 4095;

    private const string EmptySegment = "contains an empty, '.' or '..' segment";
    private const int MaxSegmentBytes = 255;

    // No script needs more (UAX #15, section 13). Normalization sorts each run of them by insertion, so its work is at
    // most this number for each character of a name.
    private const int MaxMarks = 30;

    // The longest compatibility form of one character is 18 characters. The text to compare must not grow beyond a multiple of what was sent.
    private const int MaxGrowth = 4;
    private const int AlwaysAllowedGrowth = 64;

    private static readonly SearchValues<char> WindowsReserved = SearchValues.Create("<>:\"|?*");

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789ABCDEFabcdef");

    // These look like slashes, and old code pages map some of them to slashes. They are common in titles (AC∕DC).
    private static readonly SearchValues<char> LikeSlashes = SearchValues.Create("/\u2044\u2215\u2216\u29F5\u29F8\u29F9");

    // An overlong encoding of a dot; old decoders accept it.
    private static readonly string[] OverlongDots = ["%c0%ae", "%e0%80%ae", "%f0%80%80%ae"];

    private static readonly SearchValues<char> SegmentEnds = SearchValues.Create(";?#");

    private static readonly FrozenSet<string> Devices = new[] { "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$" }
        .Concat("0123456789¹²³".SelectMany(digit => new[] { "COM" + digit, "LPT" + digit }))
        .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Why a path could leave the folder it is put in, or hide what it is; null if it is safe.</summary>
    public static string? Unsafe(string path) => Check(path, isExact: false);

    /// <summary>
    /// The same for the id of an entry with a separate name. The id may contain empty segments and text that looks percent-encoded, and it
    /// may end in a slash. All other rules apply to the id, and to the results of decoding it any number of times.
    /// </summary>
    public static string? UnsafeId(string id)
    {
        if (Check(id, isExact: true) is { } fault)
        {
            return fault;
        }

        const string HiddenDots = "contains a '.' or '..' segment after decoding";
        if (DotSegments.IsIn(id))
        {
            return HiddenDots;
        }

        var text = id;
        for (var round = 0; round <= LaxPath.MaxDecodings; round++)
        {
            if (OverlongDots.Any(dot => text.Contains(dot, StringComparison.OrdinalIgnoreCase)))
            {
                return HiddenDots;
            }

            var decoded = LaxPath.DecodeOnce(text);
            if (decoded == text)
            {
                return null;
            }

            if (Check(decoded, isExact: true) is { } decodedFault)
            {
                return $"after decoding {decodedFault}";
            }

            text = decoded;
        }

        return $"is percent-encoded more than {LaxPath.MaxDecodings} times";
    }

    /// <summary>The same for a key that a store lists. Text that looks percent-encoded is part of the key.</summary>
    public static string? UnsafeListed(string key) =>
        key.EndsWith('/') || key.Contains("//", StringComparison.Ordinal) ? EmptySegment : UnsafeId(key);

    private static string? Check(string path, bool isExact)
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
            marks = MayMove(path, i) ? marks + 1 : 0;
            if (marks > MaxMarks)
            {
                return $"contains more than {MaxMarks} combining marks in a row";
            }

            if (char.IsSurrogate(c))
            {
                if (!char.IsHighSurrogate(c) || i + 1 == path.Length || !char.IsLowSurrogate(path[i + 1]))
                {
                    return "contains an unpaired surrogate";
                }

                i++;
            }
            else if (c == '\\')
            {
                return "contains a backslash";
            }
            else if (c == '%' && !isExact && IsEncoding(path.AsSpan(i + 1)))
            {
                return "is still percent-encoded after decoding once";
            }
        }

        if (HiddenCharacters.IndexIn(path) is >= 0 and var hidden)
        {
            return Hidden(char.ConvertToUtf32(path, hidden));
        }

        foreach (var segment in path.AsSpan().Split('/'))
        {
            if (path.AsSpan(segment) is "." or ".." || (path.AsSpan(segment) is "" && !isExact))
            {
                return EmptySegment;
            }
        }

        if (path.Length > 1 && path[1] == ':' && char.IsAsciiLetter(path[0]))
        {
            return "begins with a drive letter";
        }

        return Encoding.UTF8.GetByteCount(path) > MaxBytes ? $"is longer than {MaxBytes} bytes" : Misread(path);
    }

    /// <summary>
    /// Why another program could read other segments in a path: one that replaces characters by their compatibility form
    /// (U+FF0F by a slash, U+2025 by two dots), or one that removes parameters from each segment (<c>..;x</c>).
    /// </summary>
    private static string? Misread(string path)
    {
        var read = path.Normalize(NormalizationForm.FormKC);
        if (read.Length > (MaxGrowth * path.Length) + AlwaysAllowedGrowth)
        {
            return $"is more than {MaxGrowth} times as long in its compatibility form";
        }

        if (read.AsSpan().Count('/') > path.AsSpan().Count('/') || read.Contains('\\', StringComparison.Ordinal))
        {
            return "contains a character that some servers read as a slash or backslash";
        }

        foreach (var range in read.AsSpan().SplitAny(LikeSlashes))
        {
            var segment = read.AsSpan(range);
            var end = segment.IndexOfAny(SegmentEnds);
            if ((end < 0 ? segment : segment[..end]).Trim() is "." or "..")
            {
                return "contains a segment that some servers read as '.' or '..'";
            }
        }

        return null;
    }

    /// <summary>
    /// Whether normalization may move a character before the preceding one. Only marks have a combining class other than zero, whatever
    /// their category is, and the halfwidth sound marks become such marks. A character that this runtime does not know may be a mark in a newer
    /// Unicode library.
    /// </summary>
    private static bool MayMove(string path, int at) =>
        path[at] >= '\u0300' && (path[at] is '\uFF9E' or '\uFF9F' || CharUnicodeInfo.GetUnicodeCategory(path, at)
            is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.OtherNotAssigned);

    /// <summary>Two hexadecimal digits, or a <c>u</c> and four, as IIS decodes them.</summary>
    private static bool IsEncoding(ReadOnlySpan<char> text) =>
        AreHexDigits(text, 2) || (text is ['u' or 'U', .. var digits] && AreHexDigits(digits, 4));

    private static bool AreHexDigits(ReadOnlySpan<char> text, int count) => text.Length >= count && !text[..count].ContainsAnyExcept(HexDigits);

    private static string Hidden(int value)
    {
        var rule = value is 0x200C or 0x200D or (>= 0xFE00 and <= 0xFE0F) ? "which is invisible and allowed only inside emoji" : "which is not allowed";
        return string.Create(CultureInfo.InvariantCulture, $"contains the character U+{value:X4}, {rule}");
    }

    /// <summary>Why Windows could not unpack a path that is safe; null if it could.</summary>
    public static string? Unportable(string path)
    {
        foreach (var range in path.AsSpan().Split('/'))
        {
            var segment = path.AsSpan(range);
            if (segment.ContainsAny(WindowsReserved))
            {
                return "contains one of < > : \" | ? *, which Windows cannot unpack";
            }

            if (segment[^1] is '.' or ' ')
            {
                return "contains a segment that ends in a dot or a space, which Windows cannot unpack";
            }

            var stem = segment.IndexOf('.') is >= 0 and var dot ? segment[..dot] : segment;
            if (Devices.GetAlternateLookup<ReadOnlySpan<char>>().Contains(stem.TrimEnd(' ')))
            {
                return "contains a segment that is a device name on Windows";
            }

            if (Encoding.UTF8.GetByteCount(segment) > MaxSegmentBytes)
            {
                return $"contains a segment longer than {MaxSegmentBytes} bytes";
            }
        }

        return null;
    }

    /// <summary>
    /// Names that one folder cannot contain together: equal, equal except for case or Unicode form, or one a folder of the other.
    /// </summary>
    /// <param name="names">Names that <see cref="Unsafe"/> accepts.</param>
    /// <returns>Pairs of indexes, the lower first; at most one pair for each name, so that the response is not larger than the request.</returns>
    public static IEnumerable<(int First, int Second, string Reason)> Collisions(IReadOnlyList<string> names)
    {
        var places = new Dictionary<string, int>(names.Count, StringComparer.Ordinal);
        var folded = new string[names.Count];
        for (var i = 0; i < names.Count; i++)
        {
            folded[i] = Fold(names[i]);
            if (!places.TryAdd(folded[i], i))
            {
                var first = places[folded[i]];
                yield return (first, i, names[first] == names[i] ? "the same name twice" : "names that differ only in case or Unicode form");
            }
        }

        // In this order everything inside a folder directly follows a file of the folder's name.
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

    /// <summary>
    /// Maps all names that some file system or reader treats as equal to the same text: without case (full case folding), in the
    /// compatibility form, without ignored characters.
    /// </summary>
    /// <remarks>
    /// After decomposition, the sharp s is the only character left that folds to several. To upper case first, because several small letters
    /// share a capital (σ and ς).
    /// </remarks>
    private static string Fold(string name) =>
        HiddenCharacters.WithoutEmojiJoiners(name).Normalize(NormalizationForm.FormKD).ToUpperInvariant().ToLowerInvariant().Replace("ß", "ss", StringComparison.Ordinal);

    /// <summary>Ordinal order, the slash before all other characters.</summary>
    private static int CompareFoldersFirst(string x, string y)
    {
        var common = x.AsSpan().CommonPrefixLength(y);
        return common == x.Length || common == y.Length ? x.Length - y.Length : Rank(x[common]) - Rank(y[common]);

        static int Rank(char c) => c == '/' ? -1 : c;
    }
}
