using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Gateway.Links;

/// <summary>
/// Creates and resolves links to bundles that are too long for a URL. Small manifests are embedded in the link and signed; larger ones are
/// stored under a random name, in Redis or in this process's memory.
/// </summary>
internal sealed class BundleLinks
{
    // Every client, proxy and log supports URLs of 2,000 characters.
    private const int MaxTokenLength = 1900;
    private const int NameLength = 32;
    private const char Embedded = 'e';
    private const char EmbeddedVersion1 = 'm';
    private const char Stored = 's';
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ILinkStore _store;
    private readonly TimeProvider _time;
    private readonly LinkKeys _keys;

    public BundleLinks(ILinkStore store, LinkKeys keys, IOptions<BundleLinkOptions> options, TimeProvider time)
    {
        _store = store;
        _time = time;
        Options = options.Value;
        _keys = keys;
    }

    public BundleLinkOptions Options { get; }

    /// <summary>Creates a link.</summary>
    /// <param name="manifest">The request that the link represents, as JSON.</param>
    /// <param name="etag">The version of the bundle that the link is pinned to, or null.</param>
    /// <param name="expires">When it expires; whole seconds.</param>
    /// <param name="client">The client that is charged for the space.</param>
    /// <param name="cancellationToken">Cancels the wait for the store.</param>
    /// <exception cref="LinkException">The manifest is too large, there is no space for it, or the store is unavailable.</exception>
    public async Task<string> CreateAsync(byte[] manifest, string? etag, DateTimeOffset expires, string client, CancellationToken cancellationToken)
    {
        if (manifest.Length > BundleLink.MaxManifestBytes)
        {
            throw new LinkException(LinkFault.TooLarge);
        }

        var packed = BundleLink.Pack(manifest, Options.CarryRights, etag);
        if (LinkToken.LengthFor(packed.Length) <= MaxTokenLength)
        {
            return Embedded + LinkToken.Create(_keys.All[0], expires, packed);
        }

        if (packed.Length > BundleLink.MaxPackedBytes || BundleLinkOptions.RoomFor(packed.Length) > Options.MaxBytesPerClient)
        {
            throw new LinkException(LinkFault.TooLarge);
        }

        var token = Stored + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(NameLength));
        await TryAsync(
            async () =>
            {
                await _store.AddAsync(GetName(token), packed, expires, client);
                return null;
            },
            cancellationToken);
        return token;
    }

    /// <summary>Resolves a link. Its signature and its expiry are checked; nothing is decompressed.</summary>
    /// <exception cref="LinkException">The link does not exist or has expired, or the store is unavailable.</exception>
    public async Task<BundleLink> FindAsync(string token, CancellationToken cancellationToken)
    {
        var link = token switch
        {
            [Embedded, ..] => Verify(token, LinkToken.Version) is { } packed ? BundleLink.From(packed, Options.CarryRights) : null,
            [EmbeddedVersion1, ..] => Verify(token, version: 1) is { } packed ? BundleLink.FromVersion1(packed) : null,
            [Stored, ..] when Base64Url.IsValid(token.AsSpan(1), out var length) && length == NameLength =>
                await TryAsync(() => _store.FindAsync(GetName(token)), cancellationToken) is { } packed ? BundleLink.From(packed, Options.CarryRights) : null,
            _ => null,
        };
        return link ?? throw new LinkException(LinkFault.Unknown);
    }

    /// <summary>A hash, so that someone who can read the store cannot use the links in it.</summary>
    private static string GetName(string token) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private byte[]? Verify(string token, int version) =>
        LinkToken.Open(_keys.All, token.AsSpan(1), version) is not var (expires, packed) ? null
        : expires > _time.GetUtcNow() ? packed
        : throw new LinkException(LinkFault.Expired);

    [SuppressMessage("Design", "CA1031", Justification = "Whatever the store throws, it is unavailable.")]
    private async Task<byte[]?> TryAsync(Func<Task<byte[]?>> action, CancellationToken cancellationToken)
    {
        try
        {
            return await action().WaitAsync(Patience, _time, cancellationToken);
        }
        catch (Exception e) when (e is not LinkException && !cancellationToken.IsCancellationRequested)
        {
            throw new LinkException(LinkFault.StoreUnavailable, e);
        }
    }
}

/// <summary>Why a link cannot be created or used.</summary>
internal enum LinkFault
{
    /// <summary>It was never created, or it is no longer stored.</summary>
    Unknown,

    /// <summary>It has expired.</summary>
    Expired,

    /// <summary>The manifest is larger than permitted for links.</summary>
    TooLarge,

    /// <summary>The client's share of the space is used up.</summary>
    ClientQuotaExceeded,

    /// <summary>The space of all clients is used up.</summary>
    NoRoom,

    /// <summary>The store is unavailable.</summary>
    StoreUnavailable,
}

/// <summary>A link that cannot be created or used.</summary>
internal sealed class LinkException(LinkFault fault, Exception? inner = null) : Exception($"The link cannot be created or used: {fault}.", inner)
{
    public LinkFault Fault { get; } = fault;

    /// <summary>When there may be space again.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
