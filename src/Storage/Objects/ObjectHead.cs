using Gateway.Storage.Checksums;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Microsoft.Net.Http.Headers;

namespace Gateway.Storage.Objects;

/// <summary>What storage reports about an object.</summary>
/// <param name="Size">Length in bytes, if storage reports it.</param>
/// <param name="ETag">The validator with its quotes, only if it is strong (RFC 9110, section 8.8.1): weak ones do not identify a version.</param>
/// <param name="Modified">Time of the last change; the epoch if storage does not report it, so that equal input gives equal archives.</param>
/// <param name="Checksums">Of the whole object, if storage reports them.</param>
/// <param name="IsFromHead">Whether it comes from a response to HEAD, which some storage gets wrong.</param>
public sealed record ObjectHead(long? Size, string? ETag, DateTimeOffset Modified, ObjectChecksums? Checksums = null, bool IsFromHead = false)
{
    /// <summary>The content codings that the object is stored with; null: none.</summary>
    public string? Encoding { get; init; }

    /// <summary>Whether it comes from a manifest, and storage has not been queried yet.</summary>
    public bool IsDeclared { get; init; }

    /// <summary>Whether it comes from a listing. Only Azure's reports content codings.</summary>
    public bool IsFromListing { get; init; }

    /// <summary>The version id of a store that keeps versions; null: it keeps none, or there is none.</summary>
    public string? Version { get; init; }

    /// <summary>The stored object, if this one is its decoded form; otherwise null.</summary>
    public ObjectHead? Stored { get; init; }

    /// <summary>No object is larger.</summary>
    public const long MaxSize = ContentLength.Max;

    private const int MaxShownETagLength = 64;
    private const int MaxVersionLength = 1024;

    // S3 (where "null" is not a version that stays), Azure, Google.
    private static readonly string[] VersionHeaders = ["x-amz-version-id", "x-ms-version-id", "x-goog-generation"];

    /// <summary>Reads the headers of a 200 or a 206; <see cref="Size"/> is then that of the whole object or of the part.</summary>
    /// <exception cref="StorageException">An invalid length, or invalid content codings.</exception>
    public static ObjectHead From(IHeaderDictionary headers)
    {
        long? size = null;
        if (headers.TryGetValue(HeaderNames.ContentLength, out var text) && text.Count > 0)
        {
            size = (text.Count == 1 ? ContentLength.Parse(text[0]) : null) ?? throw new StorageException(FailureReason.InvalidLength);
        }

        var modified = HeaderUtilities.TryParseDate(headers.LastModified.ToString(), out var date) ? date : DateTimeOffset.UnixEpoch;
        return new ObjectHead(size, EntityTag.Strong(headers.ETag.ToString()), modified, ObjectChecksums.From(headers)) { Encoding = ContentCodings.Parse(headers.ContentEncoding), Version = ParseVersion(headers) };
    }

    /// <summary>The decoded form of this object. It has no checksums, because they cover the stored bytes.</summary>
    public ObjectHead Decoded(long size) => this with { Size = size, Checksums = null, IsFromHead = false, Stored = this };

    /// <summary>Size and version must be the planned ones, if both are known. Replicas may differ for a while: another
    /// destination may still have the planned version.</summary>
    public void RequirePlanned(ObjectHead? expected)
    {
        if (expected?.ETag is not null && ETag is null)
        {
            throw new StorageException(FailureReason.VersionUnknown, expected.IsFromHead ? "HEAD returns an ETag for the object; GET returns none." : null);
        }

        if (expected?.ETag is not null && ETag != expected.ETag)
        {
            throw new StorageException(
                FailureReason.ObjectChanged,
                expected.IsFromHead ? $"HEAD and GET return different ETags ({Short(expected.ETag)} and {Short(ETag!)}), or the object changed in between." : null);
        }

        if (expected?.Size is { } size && Size is { } actual && actual != size)
        {
            throw new StorageException(FailureReason.SizeDiffers, expected.IsFromHead ? $"HEAD reports {size} bytes, GET reports {actual}." : $"Storage has {actual} bytes; {size} were declared.");
        }

        if (expected is { IsDeclared: false, IsFromListing: false } && Encoding != expected.Encoding && expected is not { IsFromHead: true, Encoding: null })
        {
            throw new StorageException(
                FailureReason.ObjectChanged, expected.IsFromHead ? "HEAD and GET report different content codings of the object." : "Storage reports a different Content-Encoding for the same version than before.");
        }

        if (expected?.Checksums?.Contradict(Checksums) is true)
        {
            throw new StorageException(
                FailureReason.ChecksumDiffers, expected.IsFromHead ? "HEAD and GET report different checksums of the object." : "Storage reports a different checksum for the same version than before.");
        }
    }

    /// <summary>Whether HEAD and GET describe the same version.</summary>
    public bool IsSameAs(ObjectHead get) =>
        ETag == get.ETag
        && Modified == get.Modified
        && (Size is null || get.Size is null || Size == get.Size)
        && Encoding == get.Encoding
        && Checksums?.Contradict(get.Checksums) is not true;

    private static string? ParseVersion(IHeaderDictionary headers)
    {
        var version = VersionHeaders.Select(name => headers[name].ToString()).FirstOrDefault(value => value.Length > 0);
        return version is { Length: <= MaxVersionLength } and not "null" && version.All(c => c is > ' ' and <= '~') ? version : null;
    }

    // A strong ETag is printable ASCII.
    private static string Short(string etag) => etag.Length <= MaxShownETagLength ? etag : $"{etag[..MaxShownETagLength]}…";
}
