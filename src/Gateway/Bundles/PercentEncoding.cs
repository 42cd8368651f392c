using System.Text;
using System.Text.Unicode;

namespace Gateway.Bundles;

/// <summary>Percent-encoded text (RFC 3986, section 2.1), as it is in a query or a form.</summary>
internal static class PercentEncoding
{
    /// <summary>Whether the text is UTF-8 once it is decoded. Decoders leave bytes that are not as they are, or replace them.</summary>
    public static bool IsUtf8(ReadOnlySpan<char> text) => IsUtf8(Encoding.UTF8.GetBytes(text.ToArray()));

    /// <summary>The same for bytes.</summary>
    public static bool IsUtf8(ReadOnlySpan<byte> text)
    {
        if (!text.Contains((byte)'%'))
        {
            return Utf8.IsValid(text);
        }

        var decoded = new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            decoded[length++] = text[i] == '%' && i + 2 < text.Length && char.IsAsciiHexDigit((char)text[i + 1]) && char.IsAsciiHexDigit((char)text[i + 2])
                ? (byte)((Convert.FromHexString([(char)text[++i], (char)text[++i]]))[0])
                : text[i];
        }

        return Utf8.IsValid(decoded.AsSpan(0, length));
    }
}
