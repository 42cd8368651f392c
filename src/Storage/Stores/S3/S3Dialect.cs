using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Storage.Listings;
using Gateway.Storage.Stores.Dialects;

namespace Gateway.Storage.Stores.S3;

/// <summary>Amazon S3 and compatible stores.</summary>
internal sealed class S3Dialect(StoreOptions options, TimeProvider time) : StoreDialect
{
    private const int MaxPageSize = 1000;

    private readonly S3Signer? _signer = options.Source == StoreCredentials.None ? null : new S3Signer(options, time);
    private readonly SecretFile? _customerKey = options.CustomerKeyFile is { } path ? new SecretFile(null, path, time) : null;

    public override ValueTask AuthorizeAsync(HttpRequestMessage message, CancellationToken cancellationToken) => _signer?.SignAsync(message, cancellationToken) ?? default;

    public override TimeSpan? CredentialAge => _signer?.CredentialAge;

    public override void ForgetCredential() => _signer?.Forget();

    public override void Prepare(HttpRequestMessage message, StoreRequestKind kind)
    {
        if (kind == StoreRequestKind.Entry && options.Checksums && message.Headers.Range is null)
        {
            message.Headers.TryAddWithoutValidation("x-amz-checksum-mode", "ENABLED");
        }

        if (kind == StoreRequestKind.Listing)
        {
            // Otherwise restored objects look archived.
            message.Headers.TryAddWithoutValidation("x-amz-optional-object-attributes", "RestoreStatus");
        }

        if (options.RequesterPays)
        {
            message.Headers.TryAddWithoutValidation("x-amz-request-payer", "requester");
        }

        if (kind != StoreRequestKind.Listing && ReadCustomerKey(_customerKey) is var (text, key))
        {
            // The API names MD5; it detects mistakes in transit and protects nothing.
#pragma warning disable CA5351
            var md5 = Convert.ToBase64String(MD5.HashData(key));
#pragma warning restore CA5351
            message.Headers.TryAddWithoutValidation("x-amz-server-side-encryption-customer-algorithm", "AES256");
            message.Headers.TryAddWithoutValidation("x-amz-server-side-encryption-customer-key", text);
            message.Headers.TryAddWithoutValidation("x-amz-server-side-encryption-customer-key-MD5", md5);
        }
    }

    public override string GetVersionQuery(string version) => $"?versionId={Uri.EscapeDataString(version)}";

    public override string GetListingQuery(string prefix, ListingRequest request) => FormatListingQuery(prefix, request);

    public override ListingPage ReadListing(ReadOnlyMemory<byte> body, string prefix) => S3ListingReader.Read(body, prefix);

    public override string? FindArchiveClass(HttpResponseMessage response)
    {
        var isRestored = GetHeader(response, "x-amz-restore")?.Contains("ongoing-request=\"false\"", StringComparison.OrdinalIgnoreCase) is true;
        return isRestored ? null
            : GetHeader(response, "x-amz-storage-class") is "GLACIER" or "DEEP_ARCHIVE" ? GetHeader(response, "x-amz-storage-class")
            : GetHeader(response, "x-amz-archive-status") is "ARCHIVE_ACCESS" or "DEEP_ARCHIVE_ACCESS" ? GetHeader(response, "x-amz-archive-status")
            : null;
    }

    /// <summary>The query of ListObjectsV2, which Google's XML API has too. Keys are requested percent-encoded, because XML cannot hold every character.</summary>
    public static string FormatListingQuery(string prefix, ListingRequest request)
    {
        var query = new StringBuilder("?list-type=2&encoding-type=url");
        query.Append(CultureInfo.InvariantCulture, $"&max-keys={Math.Min(request.PageSize, MaxPageSize)}&prefix={Uri.EscapeDataString(prefix)}");
        if (request.IsOneLevel)
        {
            query.Append("&delimiter=%2F");
        }

        if (request.Token is { } token)
        {
            query.Append("&continuation-token=").Append(Uri.EscapeDataString(token));
        }

        return query.ToString();
    }
}
