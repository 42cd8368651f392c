using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Gateway.Caching;
using Microsoft.Extensions.Options;

namespace Gateway.Links;

/// <summary>Stores signed links in Redis, so that every replica with the same keys can use them.</summary>
internal sealed class RedisLinkStore(GatewayCache cache, IOptions<BundleLinkOptions> options) : ILinkStore
{
    private const int ClientLength = 16;

    public async Task AddAsync(string name, byte[] packed, DateTimeOffset expires, string client)
    {
        var (limits, id) = (options.Value, Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(client)).AsSpan(..ClientLength)));
        if (await cache.ReserveAsync(id, BundleLinkOptions.RoomFor(packed.Length), expires, limits.MaxBytesPerClient, limits.MaxBytes) is { } full)
        {
            throw new LinkException(full.IsOfClient ? LinkFault.ClientQuotaExceeded : LinkFault.NoRoom) { RetryAfter = full.RetryAfter };
        }

        await cache.SetAsync(GetKey(name), packed, expires);
    }

    public Task<byte[]?> FindAsync(string name) => cache.GetAsync(GetKey(name), BundleLink.MaxPackedBytes);

    private static string GetKey(string name) => "link/2/" + name;
}
