using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Gateway.Caching;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Options;

namespace Gateway.Links;

/// <summary>
/// Names for bundles that are too long for an address. What is short stands, signed, in the link itself; what is not is kept under
/// a name that nobody can guess, in Redis or in this process's memory.
/// </summary>
internal sealed class BundleLinks
{
    // Every client, proxy and log takes an address of 2,000 characters.
    private const int MaxTokenLength = 1900;
    private const int NameLength = 32;
    private const char Signed = 'm';
    private const char Stored = 's';
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly IDistributedCache _cache;
    private readonly TimeProvider _time;
    private readonly byte[][] _keys;

    public BundleLinks(IDistributedCache cache, IOptions<BundleLinkOptions> options, IConfiguration configuration, TimeProvider time)
    {
        _cache = cache;
        _time = time;
        Options = options.Value;
        _keys = Options.Secrets();
        if (_keys.Length == 0 && !GatewayCache.IsRedis(configuration))
        {
            _keys = [RandomNumberGenerator.GetBytes(BundleLinkOptions.LeastKeyBytes)];
        }
    }

    public BundleLinkOptions Options { get; }

    /// <summary>Makes a link.</summary>
    /// <param name="content">What is asked for.</param>
    /// <param name="expires">Until when; whole seconds.</param>
    /// <param name="cancellationToken">Ends the wait for the cache.</param>
    /// <exception cref="LinkException">The cache cannot take it.</exception>
    public async Task<string> CreateAsync(byte[] content, DateTimeOffset expires, CancellationToken cancellationToken)
    {
        var packed = Pack(content);
        if (_keys.Length > 0 && LinkToken.LengthFor(packed.Length) <= MaxTokenLength)
        {
            return Signed + LinkToken.Create(_keys[0], expires, packed);
        }

        var token = Stored + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(NameLength));
        var kept = await TryAsync(
            async cancel =>
            {
                await _cache.SetAsync(KeyOf(token), packed, new DistributedCacheEntryOptions { AbsoluteExpiration = expires }, cancel);

                // Memory that is full takes nothing, and says nothing.
                return await _cache.GetAsync(KeyOf(token), cancel);
            },
            cancellationToken);
        return kept is null ? throw new LinkException(LinkFault.NoRoom) : token;
    }

    /// <summary>What a link asks for.</summary>
    /// <exception cref="LinkException">There is no such link, or it has expired, or the cache cannot be asked.</exception>
    public async Task<byte[]> OpenAsync(string token, CancellationToken cancellationToken)
    {
        switch (token)
        {
            case [Signed, ..] when LinkToken.Open(_keys, token.AsSpan(1)) is var (expires, content):
                return expires > _time.GetUtcNow() ? Unpack(content) : throw new LinkException(LinkFault.Expired);
            case [Stored, ..] when await TryAsync(cancel => _cache.GetAsync(KeyOf(token), cancel), cancellationToken) is { } content:
                return Unpack(content);
            default:
                throw new LinkException(LinkFault.Unknown);
        }
    }

    /// <summary>Who can read the cache cannot use the links that are kept in it.</summary>
    private static string KeyOf(string token) => "link/1/" + Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(token)));

    private static byte[] Pack(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var brotli = new BrotliStream(packed, CompressionLevel.Optimal))
        {
            brotli.Write(content);
        }

        return packed.ToArray();
    }

    /// <summary>Only what was packed here comes by: it is signed, or nobody else could have put it into the cache.</summary>
    private static byte[] Unpack(byte[] packed)
    {
        using var content = new MemoryStream();
        using var brotli = new BrotliStream(new MemoryStream(packed), CompressionMode.Decompress);
        brotli.CopyTo(content);
        return content.ToArray();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever the cache fails with, it is away.")]
    private async Task<byte[]?> TryAsync(Func<CancellationToken, Task<byte[]?>> action, CancellationToken cancellationToken)
    {
        try
        {
            return await action(cancellationToken).WaitAsync(Patience, _time, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LinkException(LinkFault.Away, e);
        }
    }
}

/// <summary>Why a link is of no use.</summary>
internal enum LinkFault
{
    /// <summary>Nobody made it, or it has been forgotten.</summary>
    Unknown,

    /// <summary>Its time is over.</summary>
    Expired,

    /// <summary>There are too many to keep another one.</summary>
    NoRoom,

    /// <summary>Where it is kept cannot be reached.</summary>
    Away,
}

/// <summary>A link that cannot be made or used.</summary>
internal sealed class LinkException(LinkFault fault, Exception? inner = null) : Exception($"The link is of no use: {fault}.", inner)
{
    public LinkFault Fault { get; } = fault;
}
