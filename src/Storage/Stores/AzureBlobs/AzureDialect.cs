using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Azure.Core;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Sas;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Stores.Dialects;

namespace Gateway.Storage.Stores.AzureBlobs;

/// <summary>Azure Blob Storage, with a bearer token, a SAS, or a SAS that is created from the account's key.</summary>
internal sealed class AzureDialect : StoreDialect
{
    private const int MaxPageSize = 5000;
    private const string Version = "2023-11-03";
    private static readonly TokenRequestContext Scope = new(["https://storage.azure.com/.default"]);
    private static readonly TimeSpan SasLifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan SasRenewal = TimeSpan.FromMinutes(30);

    // Clocks differ.
    private static readonly TimeSpan SasStart = TimeSpan.FromMinutes(5);

    private readonly StoreOptions _options;
    private readonly TimeProvider _time;
    private readonly CredentialCache<Bearer>? _tokens;
    private readonly SecretFile? _sas;
    private readonly SecretFile? _accountKey;
    private readonly SecretFile? _customerKey;
    private volatile CreatedSas? _created;
    private volatile DefaultAzureCredential? _chain;

    public AzureDialect(StoreOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _customerKey = options.CustomerKeyFile is { } path ? new SecretFile(null, path, time) : null;
        if (options.Source == StoreCredentials.Chain)
        {
            _chain = new DefaultAzureCredential();
            _tokens = new CredentialCache<Bearer>(nameof(DefaultAzureCredential), ObtainAsync, bearer => bearer.Expires, time);
        }
        else if (options.Source == StoreCredentials.Keys)
        {
            _sas = (options.Sas ?? options.SasFile) is null ? null : new SecretFile(options.Sas, options.SasFile, time);
            _accountKey = (options.AccountKey ?? options.AccountKeyFile) is null ? null : new SecretFile(options.AccountKey, options.AccountKeyFile, time);
        }
    }

    public override async ValueTask AuthorizeAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        message.Headers.TryAddWithoutValidation("x-ms-version", Version);
        if (_tokens is not null)
        {
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await _tokens.GetAsync(cancellationToken)).Token);
        }
        else if ((_sas?.Read().TrimStart('?') ?? (_accountKey is null ? null : CreateSas(_accountKey.Read()))) is { } sas)
        {
            var uri = message.RequestUri!;
            message.RequestUri = new Uri($"{uri.AbsoluteUri}{(uri.Query.Length == 0 ? "?" : "&")}{sas}");
        }
    }

    public override TimeSpan? CredentialAge => _tokens?.Age ?? (_created is { } created ? _time.GetElapsedTime(created.At) : null);

    public override void ForgetCredential()
    {
        if (_tokens is not null)
        {
            _chain = new DefaultAzureCredential();
            _tokens.Forget();
        }

        _sas?.Forget();
        _accountKey?.Forget();
        _created = null;
    }

    public override void Prepare(HttpRequestMessage message, StoreRequestKind kind)
    {
        if (kind != StoreRequestKind.Listing)
        {
            AddCustomerKey(message, _customerKey, "x-ms-encryption");
        }
    }

    public override string GetVersionQuery(string version) => $"?versionid={Uri.EscapeDataString(version)}";

    public override string GetListingQuery(string prefix, ListingRequest request)
    {
        // Only the metadata tell which empty blobs are directories.
        var query = new StringBuilder("?restype=container&comp=list&include=metadata");
        query.Append(CultureInfo.InvariantCulture, $"&maxresults={Math.Min(request.PageSize, MaxPageSize)}&prefix={Uri.EscapeDataString(prefix)}");
        if (request.IsOneLevel)
        {
            query.Append("&delimiter=%2F");
        }

        if (request.Token is { } token)
        {
            query.Append("&marker=").Append(Uri.EscapeDataString(token));
        }

        return query.ToString();
    }

    public override ListingPage ReadListing(ReadOnlyMemory<byte> body, string prefix) => AzureListingReader.Read(body, prefix);

    public override string? FindArchiveClass(HttpResponseMessage response) => GetHeader(response, "x-ms-access-tier") is "Archive" ? "Archive" : null;

    /// <summary>A SAS for one hour that may only read and list, so that the account's key never leaves this process.</summary>
    private string CreateSas(string key)
    {
        if (_created is { } created && created.Key == key && _time.GetElapsedTime(created.At) < SasRenewal)
        {
            return created.Sas;
        }

        try
        {
            var now = _time.GetUtcNow();
            var builder = new AccountSasBuilder(
                AccountSasPermissions.Read | AccountSasPermissions.List, now + SasLifetime, AccountSasServices.Blobs, AccountSasResourceTypes.Container | AccountSasResourceTypes.Object)
            {
                StartsOn = now - SasStart,
            };
            var sas = builder.ToSasQueryParameters(new StorageSharedKeyCredential(_options.Account, key)).ToString();
            _created = new CreatedSas(key, sas, _time.GetTimestamp());
            return sas;
        }
        catch (FormatException e)
        {
            throw new StorageException(FailureReason.NoCredential, inner: e) { LogDetail = "The account key is not Base64." };
        }
    }

    private async Task<Bearer> ObtainAsync(CancellationToken cancellationToken)
    {
        var token = await _chain!.GetTokenAsync(Scope, cancellationToken);
        return new Bearer(token.Token, token.ExpiresOn);
    }

    private sealed record Bearer(string Token, DateTimeOffset Expires);

    private sealed record CreatedSas(string Key, string Sas, long At);
}
