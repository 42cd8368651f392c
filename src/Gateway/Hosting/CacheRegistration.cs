using Gateway.Caching;
using Gateway.Links;
using Gateway.Resuming;
using Gateway.Telemetry;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Hosting;

/// <summary>Decides where links are stored and whether replicas share resume data: in Redis, which requires keys, else in this process.</summary>
internal static class CacheRegistration
{
    /// <summary>The connection string's name.</summary>
    public const string Redis = "Redis";

    private const string Links = $"{BundleOptions.Section}:{nameof(BundleOptions.Links)}";
    private const string Keys = $"{Links}:{nameof(BundleLinkOptions.Keys)}";

    /// <exception cref="InvalidOperationException">The connection string is invalid.</exception>
    public static void AddGatewayCache(this WebApplicationBuilder builder)
    {
        var text = builder.Configuration.GetConnectionString(Redis);
        var redis = text is { Length: > 0 } ? Parse(text) : null;
        var services = builder.Services;
        if (redis is not null && builder.Configuration.GetSection(Keys).GetChildren().Any())
        {
            services.AddSingleton(provider => new GatewayCache(
                redis, new CacheEntrySigner(provider.GetRequiredService<IOptions<BundleLinkOptions>>().Value.Secrets()), provider.GetRequiredService<TimeProvider>()));
            services.AddSingleton<DistributedResumeCache>();
            services.AddSingleton<ILinkStore, RedisLinkStore>();
            return;
        }

        // Without keys the gateway could not distinguish its own entries in Redis from forged ones.
        services.AddSingleton<ILinkStore, MemoryLinkStore>();
        if (redis is not null)
        {
            services.AddSingleton<IValidateOptions<BundleOptions>, NoRightsWithoutKeys>();
            services.AddHostedService<UnusedRedis>();
        }
    }

    private static ConfigurationOptions Parse(string text)
    {
        try
        {
            var redis = ConfigurationOptions.Parse(text);

            // While Redis is unavailable, neither the start nor a bundle waits for it.
            redis.AbortOnConnectFail = false;
            redis.BacklogPolicy = BacklogPolicy.FailFast;
            return redis;
        }
        catch (ArgumentException)
        {
            // Its message may contain the password.
            throw new InvalidOperationException($"ConnectionStrings:{Redis}: is not valid; see the format of StackExchange.Redis");
        }
    }

    private sealed class NoRightsWithoutKeys : IValidateOptions<BundleOptions>
    {
        public ValidateOptionsResult Validate(string? name, BundleOptions options) => options.Links.CarryRights
            ? ValidateOptionsResult.Fail($"{Links}:{nameof(BundleLinkOptions.CarryRights)}: with ConnectionStrings:{Redis} it requires {Keys}, because otherwise anyone who can write to Redis could create links")
            : ValidateOptionsResult.Success;
    }
}

/// <summary>Warns the operator that Redis is configured but not used.</summary>
internal sealed partial class UnusedRedis(ILogger<UnusedRedis> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        LogUnused(logger);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(EventId = LogEvents.RedisUnused, EventName = nameof(LogEvents.RedisUnused), Level = LogLevel.Warning, Message = "ConnectionStrings:Redis is not used: replicas share links and resume points only with Bundle:Links:Keys, which sign what is in Redis")]
    private static partial void LogUnused(ILogger logger);
}
