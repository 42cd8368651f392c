using System.Diagnostics.CodeAnalysis;
using StackExchange.Redis;

namespace Gateway.Caching;

/// <summary>The Redis that replicas share. Every entry is signed and bounded: what cannot be verified is not there.</summary>
/// <remarks>Methods throw whatever the client of Redis throws while Redis is away; callers bound how long they wait.</remarks>
internal sealed class GatewayCache(ConfigurationOptions options, CacheEntrySigner signer, TimeProvider time) : IAsyncDisposable
{
    // Room is counted by when it becomes free again, which keeps the counters small: a field for each of these in the longest lifetime.
    private const int RoomStep = 300;

    // Keys of one script must be in one slot of a Redis cluster, hence the braces.
    private const string Room = "gateway/{room}/2/";
    private const string Prefix = "gateway/";

    // Counts an entry in, if there is room for it. KEYS: the client's counter, everybody's. ARGV: now, when the entry expires, its bytes,
    // how long the counters live (s), the limit of either.
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
    /// <param name="key">What it is kept under.</param>
    /// <param name="maxLength">Bytes that a value has at most; a longer one is not read.</param>
    /// <returns>Null when there is none that the gateway has signed under this key, or when it has expired.</returns>
    public async Task<byte[]?> GetAsync(string key, int maxLength)
    {
        try
        {
            // One byte more than may be shows that there is more.
            var redis = await ConnectAsync();
            var most = maxLength + CacheEntrySigner.Overhead;
            byte[]? entry = await redis.StringGetRangeAsync(Prefix + key, 0, most);
            return entry?.Length > most ? null : signer.Open(key, entry, time.GetUtcNow());
        }
        catch (RedisServerException e) when (e.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            // Somebody else has put something else there.
            return null;
        }
    }

    /// <summary>Keeps a value until it expires.</summary>
    public async Task SetAsync(string key, byte[] value, DateTimeOffset expires)
    {
        var redis = await ConnectAsync();
        await redis.StringSetAsync(Prefix + key, signer.Sign(key, expires, value), expires - time.GetUtcNow());
    }

    /// <summary>Takes room for a value that a client has the gateway keep. It becomes free a few minutes after the value expires.</summary>
    /// <param name="client">Who is charged, as a name that tells Redis nothing.</param>
    /// <param name="length">Bytes of the value.</param>
    /// <param name="expires">When it expires.</param>
    /// <param name="maxPerClient">Bytes that the values of one client have at most.</param>
    /// <param name="max">Bytes that the values of all clients have at most.</param>
    /// <returns>Null when there was room; else whose room is full, and when some of it becomes free.</returns>
    public async Task<FullRoom?> ReserveAsync(string client, long length, DateTimeOffset expires, long maxPerClient, long max)
    {
        var redis = await ConnectAsync();
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var ends = ((expires.ToUnixTimeSeconds() / RoomStep) + 1) * RoomStep;
        RedisValue[] arguments = [now, ends, length, (31 * 24 * 3600) + RoomStep, maxPerClient, max];
        var result = (RedisValue[])(await redis.ScriptEvaluateAsync(Reserve, [Room + "client/" + client, Room + "all"], arguments))!;
        return (int)result[0] == 0 ? null : new FullRoom((int)result[0] == 1, TimeSpan.FromSeconds((long)result[1] - now));
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { IsCompletedSuccessfully: true })
        {
            await (await _connection).DisposeAsync();
        }
    }

    /// <summary>The connection is made once and comes back by itself; making it is repeated if that failed.</summary>
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

/// <summary>There is no room for a value.</summary>
/// <param name="IsOfClient">Whether the client itself has filled its share.</param>
/// <param name="RetryAfter">When some room becomes free, at the earliest.</param>
internal sealed record FullRoom(bool IsOfClient, TimeSpan RetryAfter);
