using Gateway.Storage.Connections;
using Gateway.Storage.Objects;
using Gateway.Storage.Sources;
using Gateway.Storage.Stores;
using Gateway.Storage.Stores.Folder;
using Gateway.Storage.SubRequests;
using Gateway.Storage.Telemetry;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Storage;

/// <summary>Adds YARP with what reading objects through its routes needs.</summary>
public static class StorageRegistration
{
    /// <summary>YARP's own section of the configuration.</summary>
    public const string ProxySection = "ReverseProxy";

    /// <summary>Adds YARP, the sources, and <see cref="ObjectStore"/>. <see cref="UpstreamOptions"/>, <see cref="DecodingLimit"/>, <see cref="DefaultSource"/>, <see cref="StoreCatalogue"/>
    /// and a <see cref="TimeProvider"/> must be registered too.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">Has the section <see cref="ProxySection"/>.</param>
    public static IReverseProxyBuilder AddStorage(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<IForwarderHttpClientFactory, ClusterClientFactory>();
        services.AddSingleton<FailureCounts>();
        services.AddSingleton<DestinationGuards>();
        services.AddSingleton<UpstreamTraffic>();
        services.AddSingleton(provider => new UpstreamStatus(provider.GetRequiredService<SourceIndex>(), provider.GetRequiredService<UpstreamTraffic>(), provider.GetRequiredService<DestinationGuards>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<UpstreamMetrics>();
        services.AddSingleton<StoreMetrics>();
        services.AddSingleton<SourceIndex>();
        services.AddSingleton<ObjectStore>();
        return services.AddReverseProxy()
            .LoadFromConfig(configuration.GetSection(ProxySection))
            .AddConfigFilter<FolderAddresses>()
            .AddConfigFilter<StoreAddressFilter>()
            .AddConfigFilter<SourceConfigFilter>()
            .AddTransforms<CaptureTransforms>();
    }

    /// <summary>Maps YARP's routes, and follows the sources among all endpoints. Call it last: endpoints that are mapped later are not compared with sources.</summary>
    /// <param name="app">The host.</param>
    /// <param name="guard">Middleware that runs before YARP chooses a destination.</param>
    public static void MapStorage(this WebApplication app, Func<HttpContext, RequestDelegate, Task> guard)
    {
        app.MapReverseProxy(proxy =>
            {
                proxy.Use(guard);
                proxy.UseSessionAffinity();
                proxy.Use(TriedDestinations.SkipAsync);
                proxy.UseLoadBalancing();
                proxy.UsePassiveHealthChecks();
                proxy.Use(DirectFailures.FilterAsync);
            })
            .ConfigureEndpoints(InternalRoutes.Mark);
        app.Services.GetRequiredService<SourceIndex>().Follow(((IEndpointRouteBuilder)app).DataSources);
        _ = app.Services.GetRequiredService<UpstreamMetrics>();
        _ = app.Services.GetRequiredService<StoreMetrics>();
    }
}
