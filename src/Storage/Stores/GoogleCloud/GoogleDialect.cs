using System.Net.Http.Headers;
using Gateway.Storage.Listings;
using Gateway.Storage.Stores.Dialects;
using Gateway.Storage.Stores.S3;
using Google.Apis.Auth.OAuth2;
using Google.Apis.Auth.OAuth2.Responses;

namespace Gateway.Storage.Stores.GoogleCloud;

/// <summary>Google Cloud Storage by its XML API, which is close to S3's: with a bearer token, or with an HMAC key and S3's signature.</summary>
internal sealed class GoogleDialect : StoreDialect
{
    private const string Scope = "https://www.googleapis.com/auth/devstorage.read_only";

    private readonly CredentialCache<Bearer>? _tokens;
    private readonly S3Signer? _signer;
    private readonly SecretFile? _customerKey;
    private ITokenAccess? _credential;

    public GoogleDialect(StoreOptions options, TimeProvider time)
    {
        _customerKey = options.CustomerKeyFile is { } path ? new SecretFile(null, path, time) : null;
        if (options.Source == StoreCredentials.Keys)
        {
            _signer = new S3Signer(options, time);
        }
        else if (options.Source == StoreCredentials.Chain)
        {
            _tokens = new CredentialCache<Bearer>(
                options.ServiceAccountFile is null ? "Google application default credentials" : "Google service account",
                stop => ObtainAsync(options.ServiceAccountFile, stop),
                static _ => null,
                time);
        }
    }

    public override async ValueTask AuthorizeAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        if (_tokens is not null)
        {
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await _tokens.GetAsync(cancellationToken)).Token);
        }
        else if (_signer is not null)
        {
            await _signer.SignAsync(message, cancellationToken);
        }
    }

    public override TimeSpan? CredentialAge => _tokens?.Age ?? _signer?.CredentialAge;

    public override void ForgetCredential()
    {
        _signer?.Forget();
        _credential = null;
        _tokens?.Forget();
    }

    public override void Prepare(HttpRequestMessage message, StoreRequestKind kind)
    {
        if (kind == StoreRequestKind.Entry)
        {
            // Without it Google decompresses objects that are stored compressed, ignores ranges of them, and sends no length.
            message.Headers.AcceptEncoding.Clear();
            message.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip");
        }

        if (kind != StoreRequestKind.Listing)
        {
            AddCustomerKey(message, _customerKey, "x-goog-encryption");
        }
    }

    public override string GetVersionQuery(string version) => $"?generation={Uri.EscapeDataString(version)}";

    public override string GetListingQuery(string prefix, ListingRequest request) => S3Dialect.FormatListingQuery(prefix, request);

    public override ListingPage ReadListing(ReadOnlyMemory<byte> body, string prefix) => S3ListingReader.Read(body, prefix);

    /// <summary>Google's library caches the token and renews it.</summary>
    private async Task<Bearer> ObtainAsync(string? file, CancellationToken cancellationToken)
    {
        var credential = _credential ??= await FindAsync(file, cancellationToken);
        return new Bearer(await credential.GetAccessTokenForRequestAsync(cancellationToken: cancellationToken));
    }

    private static async Task<ITokenAccess> FindAsync(string? file, CancellationToken cancellationToken)
    {
        if (file is not null)
        {
            return (await CredentialFactory.FromFileAsync<ServiceAccountCredential>(file, cancellationToken)).ToGoogleCredential().CreateScoped(Scope);
        }

        try
        {
            return (await GoogleCredential.GetApplicationDefaultAsync(cancellationToken)).CreateScoped(Scope);
        }
        catch (InvalidOperationException e) when (e.InnerException is null && !IsSet("GOOGLE_APPLICATION_CREDENTIALS") && !IsSet("NO_GCE_CHECK"))
        {
            // The library asks the metadata service once in the life of the process, for a second at most. In a new pod that service may start later.
            if (await FindMetadataAsync(cancellationToken) is { } metadata)
            {
                return metadata;
            }

            throw;
        }
    }

    /// <returns>Null if there is no metadata service.</returns>
    private static async Task<ITokenAccess?> FindMetadataAsync(CancellationToken cancellationToken)
    {
        var metadata = new ComputeCredential(new ComputeCredential.Initializer { Scopes = [Scope] });
        try
        {
            await metadata.GetAccessTokenForRequestAsync(cancellationToken: cancellationToken);
            return metadata;
        }
        catch (Exception e) when (e is HttpRequestException or TokenResponseException)
        {
            return null;
        }
    }

    private static bool IsSet(string variable) => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable));

    private sealed record Bearer(string Token);
}
