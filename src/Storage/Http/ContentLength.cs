using System.Globalization;

namespace Gateway.Storage.Http;

/// <summary>The length of an object in bytes, as <c>Content-Length</c> and listings state it (RFC 9110, section 8.6).</summary>
public static class ContentLength
{
    /// <summary>1 PiB: no object is larger, and the sum of a million of them fits into 128 bits.</summary>
    public const long Max = 1L << 50;

    /// <summary>Reads a length.</summary>
    /// <returns>Null if the text does not consist of digits, or states more than <see cref="Max"/>.</returns>
    public static long? Parse(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length <= Max ? length : null;
}
