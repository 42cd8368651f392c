using System.Globalization;
using System.Text;

namespace Gateway.Archiving.Tar;

/// <summary>
/// The records of a pax extended header (POSIX.1-2017, pax, "pax Extended Header"): <c>"%d %s=%s\n"</c>, where the number is
/// the length of the whole record, its own digits included.
/// </summary>
internal static class PaxRecords
{
    public static void Append(StringBuilder records, string key, string value)
    {
        // space, '=', newline
        var rest = Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value) + 3;
        var length = rest + Digits(rest);
        if (Digits(length) != Digits(rest))
        {
            length = rest + Digits(length);
        }

        records.Append(CultureInfo.InvariantCulture, $"{length} {key}={value}\n");
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;
}
