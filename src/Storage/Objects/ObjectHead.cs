using System.Globalization;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Microsoft.Net.Http.Headers;

namespace Gateway.Storage.Objects;

/// <summary>What storage says of an object.</summary>
/// <param name="Size">Bytes, where storage says it.</param>
/// <param name="ETag">The validator with its quotes, only if it is strong (RFC 9110, section 8.8.1): weak ones pin nothing.</param>
/// <param name="Modified">Time of the last change; the epoch where storage does not say it, so that equal input gives equal archives.</param>
/// <param name="Checksums">Of the whole object, where storage says them.</param>
/// <param name="IsFromHead">Whether it was the response to HEAD, which not all storage gives correctly.</param>
public sealed record ObjectHead(long? Size, string? ETag, DateTimeOffset Modified, ObjectChecksums? Checksums = null, bool IsFromHead = false)
{
    /// <summary>The content codings that the object is stored in; null: none.</summary>
    public string? Encoding { get; init; }

    /// <summary>Whether a manifest states it, and storage was not asked yet.</summary>
    public bool IsDeclared { get; init; }

    /// <summary>The object as it is stored, where this is what it decodes to; otherwise null.</summary>
    public ObjectHead? Stored { get; init; }

    /// <summary>1 PiB: no object is larger, and the sum of a million of them does not leave 128 bits.</summary>
    public const long MaxSize = 1L << 50;

    private const int MaxETagLength = 256;
    private const int MaxShownETagLength = 64;

    /// <summary>Reads the head of a 200 or a 206; <see cref="Size"/> is then that of the whole object or of the part.</summary>
    /// <exception cref="StorageException">A length that is none, or content codings that are none.</exception>
    public static ObjectHead From(IHeaderDictionary headers)
    {
        long? size = null;
        if (headers.TryGetValue(HeaderNames.ContentLength, out var text) && text.Count > 0)
        {
            size = text.Count == 1 && long.TryParse(text[0], NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length <= MaxSize
                ? length
                : throw new StorageException(FailureReason.InvalidLength);
        }

        var modified = HeaderUtilities.TryParseDate(headers.LastModified.ToString(), out var date) ? date : DateTimeOffset.UnixEpoch;
        return new ObjectHead(size, StrongETag(headers.ETag.ToString()), modified, ObjectChecksums.From(headers)) { Encoding = ContentCodings.Parse(headers.ContentEncoding) };
    }

    /// <summary>What this object decodes to. Its checksums are those of the stored bytes and do not hold for it.</summary>
    public ObjectHead Decoded(long size) => this with { Size = size, Checksums = null, IsFromHead = false, Stored = this };

    /// <summary>A validator that names one version (RFC 9110, section 8.8.3): strong, and not the asterisk, which stands for any. What is not ASCII
    /// could not be sent back as it came.</summary>
    /// <returns>Null when the text is none.</returns>
    public static string? StrongETag(string text) =>
        EntityTagHeaderValue.TryParse(text.TrimEnd(' ', '\t'), out var tag)
        && tag is { IsWeak: false, Tag: { Length: <= MaxETagLength, Value: ['"', .. var inner, '"'] } }
        && inner.All(c => c is '!' or (>= '#' and <= '~')) ? tag.Tag.Value : null;

    /// <summary>Size and version must be the planned ones, where both are known. Replicas may be apart for a while: another
    /// destination may still hold the version that is wanted.</summary>
    public void RequirePlanned(ObjectHead? expected)
    {
        if (expected?.ETag is not null && ETag is null)
        {
            throw new StorageException(FailureReason.VersionUnknown, expected.IsFromHead ? "HEAD names a version of the object, and GET names none." : null);
        }

        if (expected?.ETag is not null && ETag != expected.ETag)
        {
            throw new StorageException(
                FailureReason.ObjectChanged,
                expected.IsFromHead ? $"HEAD and GET name different versions (ETags {Short(expected.ETag)} and {Short(ETag!)}), or the object changed in between." : null);
        }

        if (expected?.Size is { } size && Size is { } actual && actual != size)
        {
            throw new StorageException(FailureReason.SizeDiffers, expected.IsFromHead ? $"HEAD reports {size} bytes, GET {actual}." : $"Storage has {actual} bytes where {size} were stated.");
        }

        if (expected is { IsDeclared: false } && Encoding != expected.Encoding && expected is not { IsFromHead: true, Encoding: null })
        {
            throw new StorageException(
                FailureReason.ObjectChanged, expected.IsFromHead ? "HEAD and GET report different content codings of the object." : "Storage reports another Content-Encoding of the same version than before.");
        }

        if (expected?.Checksums?.Contradict(Checksums) is true)
        {
            throw new StorageException(
                FailureReason.ChecksumDiffers, expected.IsFromHead ? "HEAD and GET report different checksums of the object." : "Storage reports another checksum of the same version than before.");
        }
    }

    /// <summary>Whether HEAD and GET describe the same.</summary>
    public bool IsSameAs(ObjectHead get) =>
        ETag == get.ETag
        && Modified == get.Modified
        && (Size is null || get.Size is null || Size == get.Size)
        && Encoding == get.Encoding
        && Checksums?.Contradict(get.Checksums) is not true;

    // A strong ETag is printable ASCII.
    private static string Short(string etag) => etag.Length <= MaxShownETagLength ? etag : $"{etag[..MaxShownETagLength]}…";
}
