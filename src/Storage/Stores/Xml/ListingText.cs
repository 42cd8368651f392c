using System.Globalization;
using System.Text;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;

namespace Gateway.Storage.Stores.Xml;

/// <summary>The values of a listing's fields.</summary>
internal static class ListingText
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>A key that is percent-encoded.</summary>
    /// <param name="text">The encoded key.</param>
    /// <param name="hasPlus">Whether <c>+</c> means a space, as in forms.</param>
    /// <exception cref="StorageException">It is not UTF-8 in this encoding.</exception>
    public static string Decode(string text, bool hasPlus)
    {
        var bytes = ToBytes(text);
        var length = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            var b = bytes[i];
            if (b == (byte)'%')
            {
                if (i + 2 >= bytes.Length || !byte.TryParse(bytes.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out b))
                {
                    throw ListingFailures.Invalid("contains a key whose encoding is not valid");
                }

                i += 2;
            }
            else if (b == (byte)'+' && hasPlus)
            {
                b = (byte)' ';
            }

            bytes[length++] = b;
        }

        try
        {
            return StrictUtf8.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            throw NotUnicode();
        }
    }

    /// <summary>The UTF-8 of a text.</summary>
    /// <exception cref="StorageException">It contains half a surrogate pair.</exception>
    public static byte[] ToBytes(string text)
    {
        try
        {
            return StrictUtf8.GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            throw NotUnicode();
        }
    }

    /// <summary>A length in bytes.</summary>
    /// <exception cref="StorageException">It is missing or not a length.</exception>
    public static long ParseSize(string? text) => ContentLength.Parse(text) ?? throw ListingFailures.Invalid("contains an object without a valid size");

    /// <summary>A time of RFC 3339 in whole seconds; the epoch if it is missing or not a time, as for response headers.</summary>
    public static DateTimeOffset ParseTime(string? text)
    {
        if (text?.IndexOf('.', StringComparison.Ordinal) is >= 0 and var dot)
        {
            // Stores send 3 or 9 digits, and only whole seconds are needed.
            text = text[..dot] + text.AsSpan(dot + 1).TrimStart("0123456789").ToString();
        }

        return DateTimeOffset.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.ToUniversalTime()
            : DateTimeOffset.UnixEpoch;
    }

    private static StorageException NotUnicode() => ListingFailures.Invalid("contains text that is not valid UTF-8");
}
