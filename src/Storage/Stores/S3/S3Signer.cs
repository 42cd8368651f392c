using System.Security.Cryptography;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using Amazon.Runtime.Signing;
using Gateway.Storage.Stores.Dialects;

namespace Gateway.Storage.Stores.S3;

/// <summary>Signs requests with AWS Signature V4. Amazon's library computes the signature and obtains the credentials; it sends nothing to the store.</summary>
/// <remarks>Only <c>host</c> and the <c>x-amz-*</c> headers are signed, because load balancers and proxies rewrite others.</remarks>
internal sealed class S3Signer
{
    private const string Prefix = "x-amz-";
    private const string SessionName = "gateway";

    // Of an empty body.
    private static readonly string EmptyHash = Convert.ToHexStringLower(SHA256.HashData([]));

    private readonly RegionEndpoint _region;
    private readonly TimeProvider _time;
    private readonly Func<CancellationToken, ValueTask<AWSCredentials>> _get;
    private readonly Action _forget;
    private readonly Func<TimeSpan?> _getAge = static () => null;

    public S3Signer(StoreOptions options, TimeProvider time)
    {
        _time = time;
        _region = RegionEndpoint.GetBySystemName(options.Region ?? "auto");
        if (options.Source == StoreCredentials.Keys && options.AssumeRole is null)
        {
            var keys = new AccessKeys(options, time);
            _get = _ => new(new ImmutableKeys(keys.Read(), expires: null));
            _forget = keys.Forget;
        }
        else
        {
            var provider = new Provider(options, time);
            var cache = new CredentialCache<AWSCredentials>(provider.Name, provider.ResolveAsync, static credentials => ((ImmutableKeys)credentials).Expires, time);
            _get = cache.GetAsync;
            _getAge = () => cache.Age;
            _forget = () =>
            {
                provider.Forget();
                cache.Forget();
            };
        }
    }

    /// <inheritdoc cref="StoreDialect.CredentialAge"/>
    public TimeSpan? CredentialAge => _getAge();

    /// <summary>Adds the signature and the headers that belong to it.</summary>
    public async ValueTask SignAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        var credentials = await _get(cancellationToken);
        var request = new AWSSigningRequest { HttpMethod = message.Method, RequestUri = message.RequestUri };
        request.Headers["x-amz-content-sha256"] = EmptyHash;
        foreach (var (name, values) in message.Headers.NonValidated)
        {
            if (name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            {
                request.Headers[name] = values.ToString();
            }
        }

        var parameters = new AWSSigV4Parameters { Credentials = credentials, Region = _region, Service = "s3", SignedAt = _time.GetUtcNow().UtcDateTime };
        foreach (var (name, value) in AWSSigV4Signer.Sign(request, parameters).Headers)
        {
            message.Headers.Remove(name);
            message.Headers.TryAddWithoutValidation(name, value);
        }
    }

    /// <summary>Discards a credential that storage has rejected.</summary>
    public void Forget() => _forget();

    /// <summary>Amazon's own order of places to look for credentials, and a role to assume with them.</summary>
    private sealed class Provider(StoreOptions options, TimeProvider time)
    {
        private readonly AccessKeys? _keys = options.Source == StoreCredentials.Keys ? new AccessKeys(options, time) : null;
        private volatile Search _search = new();

        public string Name => options.AssumeRole is { } role ? $"AssumeRole {role}" : "AWS credential chain";

        /// <summary>Credentials that need no more waiting when they are used.</summary>
        public async Task<AWSCredentials> ResolveAsync(CancellationToken cancellationToken)
        {
            var search = _search;
            var given = _keys?.Read();
            if (given is not null && !given.Equals(search.Keys))
            {
                // A role was assumed with keys that have been replaced.
                _search = search = new Search { Keys = given };
            }

            var found = given is not null ? new ImmutableKeys(given, expires: null) : await search.Chain.ResolveIdentityAsync(null, cancellationToken);
            search.Found = found;
            var credentials = options.AssumeRole is null ? found : search.Role ??= new AssumeRoleAWSCredentials(found, options.AssumeRole, SessionName, new AssumeRoleAWSCredentialsOptions { ExternalId = options.ExternalId });
            var keys = await credentials.GetCredentialsAsync().WaitAsync(cancellationToken);
            return new ImmutableKeys(keys, (credentials as RefreshingAWSCredentials)?.Expiration);
        }

        /// <summary>Searches again: the chain never reads a file twice, and some of its credentials are shared by the process.</summary>
        public void Forget()
        {
            _keys?.Forget();
            var forgotten = Interlocked.Exchange(ref _search, new Search());
            (forgotten.Found as RefreshingAWSCredentials)?.ClearCredentials();
        }

        /// <summary>Everything that was found with the same keys.</summary>
        private sealed class Search
        {
            public DefaultAWSCredentialsIdentityResolver Chain { get; } = new();

            public ImmutableCredentials? Keys { get; init; }

            public AWSCredentials? Found { get; set; }

            public AssumeRoleAWSCredentials? Role { get; set; }
        }
    }

    /// <summary>What a provider returned at one moment.</summary>
    private sealed class ImmutableKeys(ImmutableCredentials keys, DateTime? expires) : AWSCredentials
    {
        private readonly ImmutableCredentials _keys = keys;

        public DateTimeOffset? Expires { get; } = expires?.ToUniversalTime();

        public override ImmutableCredentials GetCredentials() => _keys;

        public override bool Equals(object? obj) => obj is ImmutableKeys other && _keys.Equals(other._keys);

        public override int GetHashCode() => _keys.GetHashCode();
    }
}
