using System.Globalization;
using System.Text;

namespace Fuzz;

/// <summary>
/// Seed inputs, one per line in <c>Corpus/{target}.txt</c>: inputs that are publicly known to break parsers, and earlier findings. In a
/// line <c>\xNN</c> is a byte, <c>\uNNNN</c> a character in UTF-8, <c>\n</c>, <c>\r</c>, <c>\t</c> and <c>\\</c> have their usual meaning;
/// <c>@1000 text</c> repeats the text so many times, and <c># text</c> is a comment.
/// </summary>
internal static class Corpus
{
    public static IEnumerable<byte[]> Of(string target) =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Corpus", target + ".txt")).Where(line => !line.StartsWith("# ", StringComparison.Ordinal)).Select(Parse);

    public static string ToLine(byte[] input)
    {
        var line = new StringBuilder();
        foreach (var b in input)
        {
            _ = b is (byte)'\\' ? line.Append("\\\\")
                : b is > 32 and < 127 ? line.Append((char)b)
                : b == 32 && line.Length > 0 ? line.Append(' ')
                : line.Append(CultureInfo.InvariantCulture, $"\\x{b:X2}");
        }

        return line.ToString();
    }

    internal static byte[] Parse(string line)
    {
        if (line.StartsWith('@') && line.IndexOf(' ') is > 1 and var blank && int.TryParse(line.AsSpan(1, blank - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var times))
        {
            return [.. Enumerable.Repeat(Parse(line[(blank + 1)..]), times).SelectMany(bytes => bytes)];
        }

        var bytes = new List<byte>();
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] != '\\')
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(line, i, char.IsHighSurrogate(line[i]) ? 2 : 1));
                i += char.IsHighSurrogate(line[i]) ? 1 : 0;
                continue;
            }

            switch (line[++i])
            {
                case 'x':
                    bytes.Add(byte.Parse(line.AsSpan(i + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                    i += 2;
                    break;
                case 'u':
                    bytes.AddRange(Encoding.UTF8.GetBytes([(char)ushort.Parse(line.AsSpan(i + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture)]));
                    i += 4;
                    break;
                case var c:
                    bytes.Add((byte)(c switch { 'n' => '\n', 'r' => '\r', 't' => '\t', _ => c }));
                    break;
            }
        }

        return [.. bytes];
    }
}
