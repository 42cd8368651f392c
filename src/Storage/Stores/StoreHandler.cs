using System.Net;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Stores.Dialects;
using Gateway.Storage.Stores.Folder;
using Gateway.Storage.Stores.Xml;

namespace Gateway.Storage.Stores;

/// <summary>
/// The innermost handler of a cluster that is a store. It turns each attempt into a request of the store's own: canonical path, version, credential. It
/// lets the gateway's credentials do nothing but read objects, and lets nothing that the store reports about itself out.
/// </summary>
/// <remarks>Any number of threads. A message may be sent several times, so its URL is restored after each attempt; a URL with a SAS is never seen
/// outside.</remarks>
/// <param name="inner">The cluster's connections.</param>
/// <param name="dialect">The store's own protocol.</param>
/// <param name="options">The store's section.</param>
/// <param name="errors">Explains the store's errors.</param>
/// <param name="onFailure">Called with each failure.</param>
/// <param name="time">The clock.</param>
internal sealed class StoreHandler(HttpMessageHandler inner, StoreDialect dialect, StoreOptions options, StoreErrors errors, Action<StorageException> onFailure, TimeProvider time)
    : DelegatingHandler(inner)
{
    /// <summary>Whether the response becomes an entry of an archive. A failure is then thrown with its reason; otherwise it becomes an error response. A request without
    /// this option is a health check.</summary>
    public static readonly HttpRequestOptionsKey<bool> IsOfBundle = new("Gateway.IsOfBundle");

    /// <summary>The version of the object to read; without it the current one.</summary>
    public static readonly HttpRequestOptionsKey<string> Version = new("Gateway.ObjectVersion");

    // Another request has replaced the credential in the meantime, so HEAD may succeed now.
    private static readonly StoreError Served = new(nameof(Served), null);

    private static readonly TimeSpan MinForgetInterval = TimeSpan.FromSeconds(5);

    private readonly Lock _forgetting = new();
    private long? _forgotten;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var given = request.RequestUri!;
        var isProbe = !request.Options.TryGetValue(IsOfBundle, out var isBundle);
        try
        {
            var response = isProbe ? await ProbeAsync(request, given, cancellationToken) : await ReadAsync(request, given, isBundle, cancellationToken);
            return isBundle ? response : StoreHeaders.WithoutOwn(response);
        }
        catch (StorageException e)
        {
            onFailure(e);
            if (isBundle)
            {
                throw;
            }

            return StoreProblems.Create(request, e.Reason.StatusCode, e.Message);
        }
        finally
        {
            request.RequestUri = given;
        }
    }

    private async Task<HttpResponseMessage> ReadAsync(HttpRequestMessage request, Uri given, bool isBundle, CancellationToken cancellationToken)
    {
        if (request.Method != HttpMethod.Get && request.Method != HttpMethod.Head)
        {
            var refusal = StoreProblems.Create(request, StatusCodes.Status405MethodNotAllowed, "This source is read-only.");
            refusal.Content.Headers.Allow.Add("GET");
            refusal.Content.Headers.Allow.Add("HEAD");
            return refusal;
        }

        if (StoreAddress.Parse(given, options, FindDestination(request)) is not { } address)
        {
            return StoreProblems.Create(request, StatusCodes.Status400BadRequest, "The key is not valid UTF-8, or contains a '.' or '..' segment.");
        }

        if (request.Options.TryGetValue(ListingExchange.Key, out var listing))
        {
            return await ListAsync(request, address, listing, cancellationToken);
        }

        if (address.Key.Length == 0)
        {
            return StoreProblems.Create(request, StatusCodes.Status404NotFound, "No object was requested.");
        }

        var query = request.Options.TryGetValue(Version, out var version) ? dialect.GetVersionQuery(version) : "";
        var response = await SendAuthorizedAsync(request, Locate(given, address.Path + query), isBundle ? StoreRequestKind.Entry : StoreRequestKind.Direct, cancellationToken);
        if (request.Method == HttpMethod.Head && response.IsSuccessStatusCode && dialect.FindArchiveClass(response) is { } archiveClass)
        {
            response.Dispose();
            throw StoreErrors.Archived(archiveClass);
        }

        return response;
    }

    private static Uri? FindDestination(HttpRequestMessage request) => request.Options.TryGetValue(FolderHandler.Root, out var prefix) ? new Uri(prefix) : null;

    /// <summary>A path at the same host. As a relative reference, one that begins with two slashes would be another host (RFC 3986, section 4.2).</summary>
    private static Uri Locate(Uri given, string path) => new(given.GetLeftPart(UriPartial.Authority) + path);

    /// <summary>Whether the store responds to a signed request. The right to list is not needed.</summary>
    private async Task<HttpResponseMessage> ProbeAsync(HttpRequestMessage request, Uri given, CancellationToken cancellationToken)
    {
        if (StoreAddress.Parse(given, options) is not { } address)
        {
            return StoreProblems.Create(request, StatusCodes.Status400BadRequest, "The path is not valid.");
        }

        request.Method = HttpMethod.Get;
        var target = Locate(given, address.BucketPath + dialect.GetListingQuery(address.Key, new ListingRequest(IsOneLevel: true, PageSize: 1, Token: null)));
        var response = await SendAuthorizedAsync(request, target, StoreRequestKind.Listing, cancellationToken);
        if (response.StatusCode != HttpStatusCode.Forbidden)
        {
            return response;
        }

        response.Dispose();
        return new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request };
    }

    private async Task<HttpResponseMessage> ListAsync(HttpRequestMessage request, StoreAddress address, ListingExchange listing, CancellationToken cancellationToken)
    {
        // A transform may have dropped the slash of an empty key. Without it the prefix would mean other folders too.
        var prefix = address.Key is "" or [.., '/'] ? address.Key : $"{address.Key}/";
        var target = Locate(request.RequestUri!, address.BucketPath + dialect.GetListingQuery(prefix, listing.Request));
        var response = await SendAuthorizedAsync(request, target, StoreRequestKind.Listing, cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return response;
        }

        using (response)
        {
            var body = await ReadBodyAsync(response, ListingRequest.MaxPageBytes, cancellationToken)
                ?? throw new StorageException(FailureReason.InvalidListing, $"Storage sent a page of a listing with more than {ListingRequest.MaxPageBytes} bytes.");
            listing.Page = dialect.ReadListing(body, prefix);
        }

        return new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request };
    }

    /// <summary>Sends a request with a credential; once more with another one, if the first is rejected.</summary>
    private async Task<HttpResponseMessage> SendAuthorizedAsync(HttpRequestMessage request, Uri target, StoreRequestKind kind, CancellationToken cancellationToken)
    {
        var condition = RangeCondition.Take(request);
        try
        {
            return await SendAuthorizedAsync(request, target, kind, condition, cancellationToken);
        }
        finally
        {
            condition.Restore();
        }
    }

    private async Task<HttpResponseMessage> SendAuthorizedAsync(HttpRequestMessage request, Uri target, StoreRequestKind kind, RangeCondition condition, CancellationToken cancellationToken)
    {
        var isRenewed = false;
        while (true)
        {
            StoreHeaders.RemoveClients(request);
            request.RequestUri = target;
            var started = time.GetTimestamp();
            await AuthorizeAsync(request, kind, cancellationToken);
            var response = await base.SendAsync(request, cancellationToken);
            if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.NotModified)
            {
                return response;
            }

            if (response.StatusCode == HttpStatusCode.PreconditionFailed && condition.IsMatch && kind == StoreRequestKind.Direct)
            {
                response.Dispose();
                condition.RequestWhole();
                continue;
            }

            var error = kind == StoreRequestKind.Entry && request.Method == HttpMethod.Head ? null : await ReadErrorAsync(response, request, cancellationToken);
            if (!isRenewed && (error == Served || (StoreErrors.IsCredentialRejected(error?.Code, (int)response.StatusCode) && TryForget(started))))
            {
                response.Dispose();
                isRenewed = true;
                continue;
            }

            return Replace(request, kind, response, error);
        }
    }

    /// <exception cref="StorageException">There is no credential, or one that cannot be used.</exception>
    private async ValueTask AuthorizeAsync(HttpRequestMessage request, StoreRequestKind kind, CancellationToken cancellationToken)
    {
        try
        {
            dialect.Prepare(request, kind);
            await dialect.AuthorizeAsync(request, cancellationToken);
            if (options.Source != StoreCredentials.None)
            {
                dialect.CountSignature();
            }
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw new StorageException(FailureReason.NoCredential) { LogDetail = $"A secret of the store has another form than it should: {e.GetType().Name}." };
        }
    }

    /// <summary>Replaces an error of the store by our own: it may contain the bucket, the key id and the signed text.</summary>
    private HttpResponseMessage Replace(HttpRequestMessage request, StoreRequestKind kind, HttpResponseMessage response, StoreError? error)
    {
        using (response)
        {
            var failure = errors.Explain(response, error);
            if (failure is not null)
            {
                throw failure;
            }

            var status = error?.Code is "SlowDown" or "ServerBusy" ? StatusCodes.Status503ServiceUnavailable : (int)response.StatusCode;
            status = kind == StoreRequestKind.Direct ? StoreProblems.GetStatus(status) : status;
            var replaced = StoreProblems.Create(request, status, StoreProblems.GetText(status));
            if (response.Headers.RetryAfter is { } retryAfter)
            {
                replaced.Headers.RetryAfter = retryAfter;
            }

            if (response.Content.Headers.ContentRange is { } range)
            {
                replaced.Content.Headers.ContentRange = range;
            }

            return replaced;
        }
    }

    /// <summary>What an error's body contains. The response to HEAD has none, so GET asks again.</summary>
    /// <returns><see cref="Served"/> if GET succeeds; null if nothing is known.</returns>
    private async Task<StoreError?> ReadErrorAsync(HttpResponseMessage response, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Method != HttpMethod.Head)
        {
            return await ReadErrorBodyAsync(response, cancellationToken);
        }

        if (response.StatusCode is not (HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden))
        {
            return null;
        }

        using var get = new HttpRequestMessage(HttpMethod.Get, request.RequestUri) { Version = request.Version, VersionPolicy = request.VersionPolicy };
        foreach (var (key, value) in request.Options)
        {
            ((IDictionary<string, object?>)get.Options)[key] = value;
        }

        get.RequestUri = new Uri(get.RequestUri!.GetLeftPart(UriPartial.Path));
        await AuthorizeAsync(get, StoreRequestKind.Direct, cancellationToken);
        using var answer = await base.SendAsync(get, cancellationToken);
        return answer.IsSuccessStatusCode ? Served : await ReadErrorBodyAsync(answer, cancellationToken);
    }

    private static async Task<StoreError?> ReadErrorBodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadBodyAsync(response, StoreErrorReader.MaxBytes, cancellationToken) is { } body ? StoreErrorReader.Read(body) : null;
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // The status has been received; the body would only have explained it.
            return null;
        }
    }

    /// <returns>Null if the body is longer.</returns>
    private static async Task<byte[]?> ReadBodyAsync(HttpResponseMessage response, int maxBytes, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var text = new MemoryStream();
        var buffer = new byte[Math.Min(maxBytes, 16 * 1024)];
        int count;
        while ((count = await body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (text.Length + count > maxBytes)
            {
                return null;
            }

            text.Write(buffer, 0, count);
        }

        return text.ToArray();
    }

    /// <summary>Discards a rejected credential, unless another request has just done so. At most once in a while: clients must not drive the service that
    /// issues credentials.</summary>
    /// <param name="started">When the request with the rejected credential began.</param>
    /// <returns>Whether another attempt has another credential.</returns>
    private bool TryForget(long started)
    {
        lock (_forgetting)
        {
            var now = time.GetTimestamp();
            if (_forgotten is { } last && time.GetElapsedTime(last, now) < MinForgetInterval)
            {
                return started <= last;
            }

            // Afterwards: requests that began meanwhile may still have the old one.
            dialect.ForgetCredential();
            _forgotten = time.GetTimestamp();
            return true;
        }
    }
}
