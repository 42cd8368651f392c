using System.IO.Compression;
using Gateway.Storage.Failures;
using Microsoft.Extensions.Primitives;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Gateway.Storage.Http;

/// <summary>The content codings that an object is stored with (RFC 9110, section 8.4), as <c>Content-Encoding</c> lists them.</summary>
public static class ContentCodings
{
    /// <summary>Maximum memory of one decoder: Brotli's largest window (RFC 7932, section 9.1). Zstandard's is limited to half of it.</summary>
    public const int MaxDecoderMemory = 16 << 20;

    private const int MaxLength = 64;
    private const int DecoderBuffer = 64 * 1024;

    // 8 MiB, the maximum for a content coding (RFC 9659).
    private const int ZstdWindowLog = 23;

    /// <summary>The codings in lower case, in the order in which they were applied; null: none.</summary>
    /// <exception cref="StorageException">The header is not a list of codings.</exception>
    public static string? Parse(StringValues header)
    {
        if (header.Count == 0)
        {
            return null;
        }

        var codings = header.SelectMany(value => (value ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            .Select(coding => coding.ToLowerInvariant()).Where(coding => coding != "identity").ToArray();
        var text = string.Join(", ", codings);
        return text.Length > MaxLength || !codings.All(HttpToken.IsToken)
            ? throw new StorageException(FailureReason.InvalidResponse, $"Storage sent a Content-Encoding that is not a list of codings (RFC 9110, section 8.4), or has more than {MaxLength} characters.")
            : text.Length == 0 ? null : text;
    }

    /// <summary>The coding to decode. Values that uploaders leave behind and that do not change the bytes are ignored.</summary>
    /// <returns>Null if there is none, or not exactly one that the gateway supports.</returns>
    public static string? FindDecodable(string? codings) =>
        codings?.Split(", ").Where(coding => coding is not ("aws-chunked" or "utf-8")).ToArray() is [("gzip" or "x-gzip" or "br" or "zstd") and var coding] ? coding : null;

    /// <summary>Decodes a stream.</summary>
    public static Stream Decode(Stream stored, string coding) => coding switch
    {
        "br" => new BrotliStream(stored, CompressionMode.Decompress),
        "zstd" => Zstd(stored),
        _ => new GZipStream(stored, CompressionMode.Decompress),
    };

    private static DecompressionStream Zstd(Stream stored)
    {
        var stream = new DecompressionStream(stored, DecoderBuffer);
        stream.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, ZstdWindowLog);
        return stream;
    }
}
