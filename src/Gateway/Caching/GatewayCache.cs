using System.Diagnostics.CodeAnalysis;
using StackExchange.Redis;

namespace Gateway.Caching;

/// <summary>The Redis that replicas share. Every entry is signed and limited in size; an entry that cannot be verified is ignored.</summary>
/// <remarks>Methods throw whatever the Redis client throws while Redis is unavailable; callers limit how long they wait.</remarks>
internal sealed class GatewayCache(ConfigurationOptions options, CacheEntrySigner signer, TimeProvider time) : IAsyncDisposable
{
    // Space is counted by the interval in which it becomes free, which keeps the counters small: one field per interval of the longest lifetime.
    private const int RoomStep = 300;

    // Keys of one script must be in one slot of a Redis cluster, hence the braces.
    private const string Room = "gateway/{room}/2/";
    private const string Prefix = "gateway/";

    // Reserves space for an entry, if there is any. KEYS: the client's counter, the counter of all. ARGV: now, the entry's expiry, its bytes,
    // the lifetime of the counters (s), the limit of each.
    private const string Reserve = """
        for i = 1, 2 do
          local used, first = tonumber(ARGV[3]), nil
          local fields = redis.call('HGETALL', KEYS[i])
          for j = 1, #fields, 2 do
            local ends = tonumber(fields[j])
            if ends <= tonumber(ARGV[1]) then
              redis.call('HDEL', KEYS[i], fields[j])
            else
              used = used + tonumber(fields[j + 1])
              if not first or ends < first then first = ends end
            end
          end
          if used > tonumber(ARGV[4 + i]) then return {i, first or tonumber(ARGV[2])} end
        end
        for i = 1, 2 do
          redis.call('HINCRBY', KEYS[i], ARGV[2], ARGV[3])
          redis.call('EXPIRE', KEYS[i], ARGV[4])
        end
        return {0, 0}
        """;

    private readonly Lock _lock = new();
    private Task<ConnectionMultiplexer>? _connection;

    /// <summary>The value of an entry.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="maxLength">Maximum bytes of a value; a longer one is not read.</param>
    /// <returns>Null if there is none that the gateway has signed under this key, or if it has expired.</returns>
    public async Task<byte[]?> GetAsync(string key, int maxLength)
    {
        try
        {
            // One byte more than permitted shows that there is more.
            var redis = await ConnectAsync();
            var most = maxLength + CacheEntrySigner.Overhead;
            byte[]? entry = await redis.StringGetRangeAsync(Prefix + key, 0, most);
            return entry?.Length > most ? null : signer.Open(key, entry, time.GetUtcNow());
        }
        catch (RedisServerException e) when (e.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            // Another program has stored something else there.
            return null;
        }
    }

    /// <summary>Stores a value until it expires.</summary>
    public async Task SetAsync(string key, byte[] value, DateTimeOffset expires)
    {
        var redis = await ConnectAsync();
        await redis.StringSetAsync(Prefix + key, signer.Sign(key, expires, value), expires - time.GetUtcNow());
    }

    /// <summary>Reserves space for a value that a client stores. It becomes free a few minutes after the value expires.</summary>
    /// <param name="client">The client that is charged, as a name that reveals nothing to Redis.</param>
    /// <param name="length">Bytes of the value.</param>
    /// <param name="expires">When it expires.</param>
    /// <param name="maxPerClient">Maximum bytes of the values of one client.</param>
    /// <param name="max">Maximum bytes of the values of all clients.</param>
    /// <returns>Null if there was space; else whose space is used up, and when some of it becomes free.</returns>
    public async Task<QuotaExceeded?> ReserveAsync(string client, long length, DateTimeOffset expires, long maxPerClient, long max)
    {
        var redis = await ConnectAsync();
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var ends = ((expires.ToUnixTimeSeconds() / RoomStep) + 1) * RoomStep;
        RedisValue[] arguments = [now, ends, length, (31 * 24 * 3600) + RoomStep, maxPerClient, max];
        var result = (RedisValue[])(await redis.ScriptEvaluateAsync(Reserve, [Room + "client/" + client, Room + "all"], arguments))!;
        return (int)result[0] == 0 ? null : new QuotaExceeded((int)result[0] == 1, TimeSpan.FromSeconds((long)result[1] - now));
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { IsCompletedSuccessfully: true })
        {
            await (await _connection).DisposeAsync();
        }
    }

    /// <summary>The connection is made once and reconnects by itself; if making it failed, it is retried.</summary>
    [SuppressMessage("Reliability", "CA2025", Justification = "The connection lives as long as this.")]
    private async Task<IDatabase> ConnectAsync()
    {
        Task<ConnectionMultiplexer> connection;
        lock (_lock)
        {
            connection = _connection = _connection is null or { IsFaulted: true } or { IsCanceled: true } ? ConnectionMultiplexer.ConnectAsync(options) : _connection;
        }

        return (await connection).GetDatabase();
    }
}

/// <summary>There is no space for a value.</summary>
/// <param name="IsOfClient">Whether the client's own share is used up.</param>
/// <param name="RetryAfter">Time until some space becomes free, at the earliest.</param>
internal sealed record QuotaExceeded(bool IsOfClient, TimeSpan RetryAfter);
