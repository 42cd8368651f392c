using Microsoft.Extensions.Options;

namespace Gateway.Links;

/// <summary>Stores links in this process's memory.</summary>
internal sealed class MemoryLinkStore(IOptions<BundleLinkOptions> options, TimeProvider time) : ILinkStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Link> _links = new(StringComparer.Ordinal);
    private readonly PriorityQueue<string, DateTimeOffset> _byExpiry = new();
    private readonly Dictionary<string, long> _bytesOf = new(StringComparer.Ordinal);
    private long _bytes;

    public Task AddAsync(string name, byte[] packed, DateTimeOffset expires, string client)
    {
        var length = BundleLinkOptions.RoomFor(packed.Length);
        lock (_lock)
        {
            var now = time.GetUtcNow();
            RemoveExpired(now);
            var ofClient = _bytesOf.GetValueOrDefault(client);
            if (ofClient + length > options.Value.MaxBytesPerClient)
            {
                var first = _links.Values.Where(link => link.Client == client).Select(link => (DateTimeOffset?)link.Expires).Min();
                throw new LinkException(LinkFault.ClientQuotaExceeded) { RetryAfter = (first ?? expires) - now };
            }

            if (_bytes + length > options.Value.MaxBytes)
            {
                throw new LinkException(LinkFault.NoRoom) { RetryAfter = (_byExpiry.TryPeek(out _, out var first) ? first : expires) - now };
            }

            _links.Add(name, new Link(packed, expires, client));
            _byExpiry.Enqueue(name, expires);
            _bytesOf[client] = ofClient + length;
            _bytes += length;
        }

        return Task.CompletedTask;
    }

    public Task<byte[]?> FindAsync(string name)
    {
        lock (_lock)
        {
            return Task.FromResult(_links.TryGetValue(name, out var link) && link.Expires > time.GetUtcNow() ? link.Packed : null);
        }
    }

    private void RemoveExpired(DateTimeOffset now)
    {
        while (_byExpiry.TryPeek(out var name, out var expires) && expires <= now)
        {
            _byExpiry.Dequeue();
            _links.Remove(name, out var link);
            var length = BundleLinkOptions.RoomFor(link!.Packed.Length);
            _bytes -= length;
            if ((_bytesOf[link.Client] -= length) == 0)
            {
                _bytesOf.Remove(link.Client);
            }
        }
    }

    private sealed record Link(byte[] Packed, DateTimeOffset Expires, string Client);
}
