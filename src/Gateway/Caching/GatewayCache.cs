using Gateway.Resuming;
using Microsoft.Extensions.Caching.Distributed;
using StackExchange.Redis;

namespace Gateway.Caching;

/// <summary>The cache behind <see cref="IDistributedCache"/>: Redis where there is a connection string, else this process's memory.</summary>
internal static class GatewayCache
{
    /// <summary>The connection string's name.</summary>
    public const string Redis = "Redis";

    // Links that were not handed to a client yet, and nothing else, live in this process's memory.
    private const long MemoryBytes = 64 << 20;

    /// <summary>Whether the cache is Redis, so that all replicas have the same.</summary>
    public static bool IsRedis(IConfiguration configuration) => configuration.GetConnectionString(Redis) is { Length: > 0 };

    /// <exception cref="InvalidOperationException">The connection string cannot be read.</exception>
    public static void AddGatewayCache(this WebApplicationBuilder builder)
    {
        if (builder.Configuration.GetConnectionString(Redis) is not { Length: > 0 } text)
        {
            builder.Services.AddDistributedMemoryCache(options => options.SizeLimit = MemoryBytes);
            return;
        }

        var redis = Parse(text);

        // Away is away: nobody waits for it, neither at the start nor for a bundle.
        redis.AbortOnConnectFail = false;
        redis.BacklogPolicy = BacklogPolicy.FailFast;
        builder.Services.AddStackExchangeRedisCache(options =>
        {
            options.ConfigurationOptions = redis;
            options.InstanceName = "gateway/";
        });
        builder.Services.AddSingleton<DistributedResumeCache>();
    }

    private static ConfigurationOptions Parse(string text)
    {
        try
        {
            return ConfigurationOptions.Parse(text);
        }
        catch (ArgumentException)
        {
            // What it says may hold the password.
            throw new InvalidOperationException($"ConnectionStrings:{Redis}: it cannot be read; see the format of StackExchange.Redis");
        }
    }
}
