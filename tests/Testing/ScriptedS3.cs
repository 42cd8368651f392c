using System.Collections.Concurrent;
using System.Globalization;

namespace Testing;

/// <summary>Keys that a <see cref="ScriptedS3"/> accepts.</summary>
internal sealed record S3Keys(string AccessKey, string SecretKey, string? SessionToken = null);

/// <summary>
/// A bucket that does what only clouds do, on a <see cref="ScriptedUpstream"/> with all its faults. It verifies the signature of every request
/// strictly, and answers errors as S3 does, with all the details that must not reach a client.
/// </summary>
internal sealed class ScriptedS3 : IAsyncDisposable
{
    public const string Region = "eu-central-1";

    /// <summary>What its headers and error bodies contain and no client may see, besides the bucket, the keys and the string to sign.</summary>
    public const string HostId = "host-id-of-the-store", RequestId = "4442587FB7D0A2F9";

    public static readonly S3Keys Keys = new("AKIASCRIPTEDEXAMPLE", "scripted/secret+of/the/STORE=example");

    private readonly ConcurrentDictionary<string, S3Keys> _accepted = new();
    private readonly ConcurrentDictionary<string, S3Keys> _expired = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<(string Method, ScriptedResponse Response)>> _failures = new();
    private readonly ConcurrentQueue<(int Status, string Code)> _listingFailures = new();
    private readonly ConcurrentQueue<string> _refused = new();
    private readonly ConcurrentDictionary<string, int> _counts = new();
    private readonly string _root;

    /// <param name="bucket">The bucket's name.</param>
    /// <param name="upstream">The server, if the test needs one with other settings.</param>
    /// <param name="isPathStyle">Whether the path begins with the bucket; otherwise the host does, and paths are only keys. The
    /// bucket 127 needs no DNS for that.</param>
    public ScriptedS3(string bucket = "acme-internal-media", ScriptedUpstream? upstream = null, bool isPathStyle = true)
    {
        Bucket = bucket;
        _root = isPathStyle ? $"/{bucket}/" : "/";
        Upstream = upstream ?? new ScriptedUpstream();
        (Upstream.Intercept, Upstream.Refuse, Upstream.SelectHeaders, Upstream.IgnoresIfRange) = (Intercept, Refuse, SelectHeaders, true);
        Accept(Keys);
    }

    public ScriptedUpstream Upstream { get; }

    public string Bucket { get; }

    /// <summary>The address of the store; the bucket follows unless the host begins with it.</summary>
    public string Address => Upstream.Address;

    /// <summary>The store's clock.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;

    /// <summary>How old a signature may be.</summary>
    public TimeSpan MaxSkew { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Where the bucket is.</summary>
    public string BucketRegion { get; set; } = Region;

    /// <summary>Whether a request for another region is answered with 301, else with 400.</summary>
    public bool RedirectsToRegion { get; set; }

    /// <summary>Whether requests without a signature are accepted.</summary>
    public bool IsPublic { get; set; }

    /// <summary>Whether a missing key is answered with 403, as without the permission to list.</summary>
    public bool HidesMissing { get; set; }

    /// <summary>Whether requests must accept its costs.</summary>
    public bool RequesterPays { get; set; }

    /// <summary>Maximum keys of a page.</summary>
    public int PageSize { get; set; } = 1000;

    /// <summary>A body for a listing request instead of the correct one; null: the correct one.</summary>
    public Func<ScriptedRequest, ScriptedResponse?>? Listing { get; set; }

    public int Heads => Count("HEAD");

    public int Gets => Count("GET");

    public int Listings => Count("LIST");

    /// <summary>Requests that are neither HEAD or GET of an object nor a listing. A read-only gateway sends none.</summary>
    public int Others => Count("OTHER");

    /// <summary>Requests that were refused because of their signature or credentials: method, target, error code and reason.</summary>
    public IReadOnlyCollection<string> Refused => _refused;

    /// <summary>The path of a key on the wire.</summary>
    public string PathOf(string key) => _root + SignatureV4.EscapePath(key);

    /// <summary>Accepts only these keys from now on. Those accepted before have expired.</summary>
    public void Accept(params S3Keys[] keys)
    {
        foreach (var (name, old) in _accepted)
        {
            _expired[name] = old;
        }

        _accepted.Clear();
        foreach (var one in keys)
        {
            _expired.TryRemove(one.AccessKey, out _);
            _accepted[one.AccessKey] = one;
        }
    }

    /// <summary>Stores an object. Headers can be <c>x-amz-storage-class</c>, <c>x-amz-restore</c>, <c>x-amz-checksum-…</c>, or a
    /// <c>x-amz-version-id</c>, which keeps it readable after it was replaced.</summary>
    public void Put(string key, ObjectContent content, string etag, params (string Name, string Value)[] headers)
    {
        var stored = new ScriptedObject(content, etag) { Headers = headers.ToDictionary(header => header.Name, header => header.Value) };
        if (stored.Headers.TryGetValue("x-amz-version-id", out var version))
        {
            Upstream.Put($"{PathOf(key)}?versionId={Uri.EscapeDataString(version)}", stored);
        }

        Upstream.Put(PathOf(key), stored);
    }

    public byte[] Put(string key, int size, int seed, params (string Name, string Value)[] headers)
    {
        var content = new ObjectContent(size, seed);
        Put(key, content, string.Create(CultureInfo.InvariantCulture, $"\"{seed:x16}{size:x16}\""), headers);
        return content.ToArray();
    }

    /// <summary>Faults of the network, or raw responses; the signature is verified before.</summary>
    public void Fail(string key, params Fault[] faults) => Upstream.Fail(PathOf(key), faults);

    /// <summary>The next request of the method for the key is answered with an error of S3, like 503 SlowDown.</summary>
    public void Fail(string key, int status, string code, string method = "GET") =>
        _failures.GetOrAdd(PathOf(key), _ => new()).Enqueue((method, S3Error.Create(status, code, key)));

    /// <summary>The next listing request is answered with an error.</summary>
    public void FailListing(int status, string code) => _listingFailures.Enqueue((status, code));

    public ValueTask DisposeAsync() => Upstream.DisposeAsync();

    private int Count(string kind) => _counts.GetValueOrDefault(kind);

    private ScriptedResponse? Intercept(ScriptedRequest request)
    {
        var query = QueryOf(request.Path);
        var isBucket = request.Path.Split('?')[0] == _root || request.Path.Split('?')[0] == _root.TrimEnd('/');
        var isListing = isBucket && request.Method == "GET" && query.GetValueOrDefault("list-type") == "2";
        var isObject = !isBucket && request.Method is "GET" or "HEAD" && query.Keys.All(name => name == "versionId");
        _counts.AddOrUpdate(isListing ? "LIST" : isObject && !isBucket ? request.Method : "OTHER", 1, (_, count) => count + 1);
        if (Verify(request) is { } refusal)
        {
            return refusal;
        }

        if (!request.Path.StartsWith(_root, StringComparison.Ordinal) && !isBucket)
        {
            return Error(404, "NoSuchBucket", request);
        }

        if (isListing)
        {
            return List(request, query);
        }

        return request.Method is not ("GET" or "HEAD") ? Error(405, "MethodNotAllowed", request) : isBucket ? Error(501, "NotImplemented", request) : TakeFailure(request);
    }

    private ScriptedResponse? TakeFailure(ScriptedRequest request) =>
        _failures.TryGetValue(request.Path.Split('?')[0], out var failures) && failures.TryPeek(out var failure) && failure.Method == request.Method && failures.TryDequeue(out failure)
            ? failure.Response with { Headers = Decorate(failure.Response.Headers) }
            : null;

    private ScriptedResponse? Verify(ScriptedRequest request)
    {
        if (IsPublic && request.Header("Authorization") is null)
        {
            return null;
        }

        var accessKey = SignatureV4.AccessKeyOf(request);
        if (accessKey is not null && _expired.TryGetValue(accessKey, out var old))
        {
            return Refuse(request, old.SessionToken is null ? (403, "InvalidAccessKeyId") : (400, "ExpiredToken"), $"the keys {accessKey} have expired");
        }

        if (SignatureV4.RegionOf(request) is { } region && region != BucketRegion)
        {
            var named = Refuse(request, RedirectsToRegion ? (301, "PermanentRedirect") : (400, "AuthorizationHeaderMalformed"), $"signed for {region}", $"<Region>{BucketRegion}</Region>");
            return named with { Headers = new Dictionary<string, string>(named.Headers) { ["x-amz-bucket-region"] = BucketRegion } };
        }

        var keys = _accepted.GetValueOrDefault(accessKey ?? "") ?? _accepted.Values.FirstOrDefault() ?? Keys;
        var verifier = new SignatureV4(keys.AccessKey, keys.SecretKey, BucketRegion) { SessionToken = keys.SessionToken, Clock = Clock, MaxSkew = MaxSkew };
        if (verifier.Verify(request) is { } failure)
        {
            var status = failure.Code is "AuthorizationHeaderMalformed" or "InvalidToken" or "InvalidRequest" or "XAmzContentSHA256Mismatch" ? 400 : 403;
            return Refuse(request, (status, failure.Code), failure.Reason, $"<AWSAccessKeyId>{keys.AccessKey}</AWSAccessKeyId><StringToSign>{verifier.StringToSign(request)}</StringToSign>");
        }

        return RequesterPays && request.Header("x-amz-request-payer") != "requester" ? Refuse(request, (403, "AccessDenied"), "the requester does not pay") : null;
    }

    private ScriptedResponse Refuse(ScriptedRequest request, (int Status, string Code) error, string reason, string details = "")
    {
        _refused.Enqueue($"{request.Method} {request.Path}: {error.Code}, {reason}");
        return Error(error.Status, error.Code, request, details);
    }

    private ScriptedResponse List(ScriptedRequest request, Dictionary<string, string> query)
    {
        if (_listingFailures.TryDequeue(out var failure))
        {
            return Error(failure.Status, failure.Code, request);
        }

        if (Listing?.Invoke(request) is { } scripted)
        {
            return scripted with { Headers = Decorate(scripted.Headers) };
        }

        if (query.TryGetValue("continuation-token", out var token) && !S3Listing.IsToken(token))
        {
            return Error(400, "InvalidArgument", request);
        }

        var objects = Upstream.Objects.Where(pair => pair.Key.StartsWith(_root, StringComparison.Ordinal) && !pair.Key.Contains('?', StringComparison.Ordinal)).Select(pair => (Uri.UnescapeDataString(pair.Key[_root.Length..]), pair.Value));
        var response = ScriptedResponse.Xml(200, S3Listing.Render(Bucket, objects, query, PageSize));
        return response with { Headers = Decorate(response.Headers) };
    }

    /// <summary>What S3 answers instead of the object.</summary>
    private ScriptedResponse? Refuse(ScriptedRequest request, ScriptedObject? stored)
    {
        if (stored is null)
        {
            return HidesMissing ? Error(403, "AccessDenied", request) : Error(404, "NoSuchKey", request);
        }

        if (request.Header("If-Match") is { } expected && expected != "*" && !expected.Split(',').Select(etag => etag.Trim()).Contains(stored.ETag))
        {
            return Error(412, "PreconditionFailed", request, "<Condition>If-Match</Condition>");
        }

        var storageClass = stored.Headers.GetValueOrDefault("x-amz-storage-class", "STANDARD");
        var isArchived = storageClass is "GLACIER" or "DEEP_ARCHIVE" || stored.Headers.ContainsKey("x-amz-archive-status");
        if (request.Method == "GET" && isArchived && !stored.Headers.GetValueOrDefault("x-amz-restore", "").StartsWith("ongoing-request=\"false\"", StringComparison.Ordinal))
        {
            return Error(403, "InvalidObjectState", request, $"<StorageClass>{storageClass}</StorageClass>");
        }

        var isBeyond = request.Header("Range")?["bytes=".Length..].Split('-')[0] is { Length: > 0 } from && long.Parse(from, CultureInfo.InvariantCulture) >= stored.Content.Size;
        return isBeyond ? Error(416, "InvalidRange", request) : null;
    }

    /// <summary>Checksums only if the request asks for them, and only of the whole object.</summary>
    private Dictionary<string, string> SelectHeaders(ScriptedRequest request, ScriptedObject stored)
    {
        var wantsChecksums = request.Header("x-amz-checksum-mode") == "ENABLED" && request.Header("Range") is null;
        return Decorate(stored.Headers.Where(header => wantsChecksums || !header.Key.StartsWith("x-amz-checksum-", StringComparison.OrdinalIgnoreCase)).ToDictionary());
    }

    private Dictionary<string, string> Decorate(IReadOnlyDictionary<string, string> headers) => new(headers)
    {
        ["Date"] = Clock.GetUtcNow().ToString("R", CultureInfo.InvariantCulture),
        ["Server"] = "AmazonS3",
        ["Accept-Ranges"] = "bytes",
        ["x-amz-request-id"] = RequestId,
        ["x-amz-id-2"] = HostId,
    };

    private ScriptedResponse Error(int status, string code, ScriptedRequest request, string details = "")
    {
        var response = S3Error.Create(status, code, request.Path, $"<BucketName>{Bucket}</BucketName>{details}");
        return response with { Headers = Decorate(response.Headers) };
    }

    private static Dictionary<string, string> QueryOf(string target) => target.Split('?', 2) is [_, var query]
        ? query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(parameter => parameter.Split('=', 2)).ToDictionary(pair => Uri.UnescapeDataString(pair[0]), pair => Uri.UnescapeDataString(pair.ElementAtOrDefault(1) ?? ""))
        : [];
}
