using System.Net;
using System.Text;
using System.Text.Unicode;

namespace Gateway.Requests;

/// <summary>Percent-encoded text (RFC 3986, section 2.1), in a query or a form.</summary>
internal static class PercentEncoding
{
    /// <summary>Whether the decoded text is UTF-8. Decoders keep other bytes encoded, or replace them.</summary>
    public static bool IsUtf8(ReadOnlySpan<char> text) => IsUtf8(Encoding.UTF8.GetBytes(text.ToArray()));

    /// <summary>The same for bytes.</summary>
    public static bool IsUtf8(ArraySegment<byte> text) => text.AsSpan().Contains((byte)'%')
        ? Utf8.IsValid(WebUtility.UrlDecodeToBytes(text.Array, text.Offset, text.Count))
        : Utf8.IsValid(text);
}
