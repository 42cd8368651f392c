using System.Globalization;
using Gateway.Failures;
using Microsoft.Net.Http.Headers;

namespace Gateway.Upstreams;

/// <summary>What storage reports about an object.</summary>
/// <param name="Size">Length in bytes, if storage reports it.</param>
/// <param name="ETag">The validator with its quotes, only if it is strong (RFC 9110, section 8.8.1): weak ones do not identify a version.</param>
/// <param name="Modified">Time of the last change; the epoch if storage does not report it, so that equal input gives equal archives.</param>
/// <param name="Checksums">Of the whole object, if storage reports them.</param>
/// <param name="IsFromHead">Whether it comes from a response to HEAD, which some storage gets wrong.</param>
internal sealed record ObjectHead(long? Size, string? ETag, DateTimeOffset Modified, ObjectChecksums? Checksums = null, bool IsFromHead = false)
{
    /// <summary>The content codings that the object is stored with; null: none.</summary>
    public string? Encoding { get; init; }

    /// <summary>Whether it comes from a manifest, and storage has not been queried yet.</summary>
    public bool IsDeclared { get; init; }

    /// <summary>The stored object, if this one is its decoded form; otherwise null.</summary>
    public ObjectHead? Stored { get; init; }

    /// <summary>1 PiB: no object is larger, and the sum of a million of them fits into 128 bits.</summary>
    public const long MaxSize = 1L << 50;

    private const int LongestETag = 256;

    /// <summary>Reads the headers of a 200 or a 206; <see cref="Size"/> is then that of the whole object or of the part.</summary>
    /// <exception cref="StorageException">An invalid length, or invalid content codings.</exception>
    public static ObjectHead Of(IHeaderDictionary headers)
    {
        long? size = null;
        if (headers.TryGetValue(HeaderNames.ContentLength, out var text) && text.Count > 0)
        {
            size = text.Count == 1 && long.TryParse(text[0], NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length <= MaxSize
                ? length
                : throw new StorageException(FailureReason.InvalidLength);
        }

        var modified = HeaderUtilities.TryParseDate(headers.LastModified.ToString(), out var date) ? date : DateTimeOffset.UnixEpoch;
        return new ObjectHead(size, StrongETag(headers.ETag.ToString()), modified, ObjectChecksums.Of(headers)) { Encoding = ContentCodings.Of(headers.ContentEncoding) };
    }

    /// <summary>The decoded form of this object. It has no checksums, because they cover the stored bytes.</summary>
    public ObjectHead Decoded(long size) => this with { Size = size, Checksums = null, IsFromHead = false, Stored = this };

    /// <summary>A validator that identifies one version (RFC 9110, section 8.8.3): strong, and not the asterisk, which matches any. Non-ASCII
    /// values are rejected, because they could not be sent back unchanged.</summary>
    /// <returns>Null if the text is not such a validator.</returns>
    public static string? StrongETag(string text) =>
        EntityTagHeaderValue.TryParse(text.TrimEnd(' ', '\t'), out var tag)
        && tag is { IsWeak: false, Tag: { Length: <= LongestETag, Value: ['"', .. var inner, '"'] } }
        && inner.All(c => c is '!' or (>= '#' and <= '~')) ? tag.Tag.Value : null;
}
