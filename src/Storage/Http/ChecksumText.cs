using System.Buffers.Text;

namespace Gateway.Storage.Http;

/// <summary>Checksums in Base64, as headers and listings state them.</summary>
internal static class ChecksumText
{
    /// <summary>Bytes of an MD5.</summary>
    public const int Md5Length = 16;

    /// <summary>Reads a checksum.</summary>
    /// <returns>Null if it is not the Base64 of exactly so many bytes.</returns>
    public static byte[]? Decode(string text, int length)
    {
        var bytes = new byte[length];
        return text.Length == Base64.GetMaxEncodedToUtf8Length(length) && Convert.TryFromBase64String(text, bytes, out var written) && written == length ? bytes : null;
    }
}
