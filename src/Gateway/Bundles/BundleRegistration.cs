using Gateway.Access;
using Gateway.Admission;
using Gateway.Health;
using Gateway.Links;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Server;
using Gateway.Telemetry;
using Gateway.Upstreams;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Bundles;

/// <summary>Puts the rooms of the house together.</summary>
internal static class BundleRegistration
{
    /// <summary>YARP's own section of the configuration.</summary>
    public const string ProxySection = "ReverseProxy";

    private const string ReadyTag = "ready";

    public static void AddBundles(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<IValidateOptions<BundleOptions>, BundleOptionsValidator>();
        services.AddOptions<BundleOptions>().Bind(builder.Configuration.GetSection(BundleOptions.Section));
        AddPart(options => options.Upstream);
        AddPart(options => options.Client);
        AddPart(options => options.Limits);
        AddPart(options => options.Memory);
        AddPart(options => options.Drain);
        AddPart(options => options.Ready);
        AddPart(options => options.Resume);
        AddPart(options => options.Links);

        services.AddSingleton(TimeProvider.System);
        services.AddReverseProxy()
            .LoadFromConfig(builder.Configuration.GetSection(ProxySection))
            .AddConfigFilter<FolderAddresses>()
            .AddConfigFilter<RoutePolicyFilter>()
            .AddTransforms<CaptureTransforms>();
        services.AddSingleton<IProxyConfigFilter>(
            provider => new SourceConfigFilter(provider, provider.GetRequiredService<IOptions<BundleOptions>>().Value.DefaultSource));
        services.AddSingleton<IConfigureOptions<SocketTransportOptions>, ClientSockets>();
        services.AddSingleton<IForwarderHttpClientFactory, ClusterClientFactory>();
        services.AddSingleton<FailureCounts>();
        services.AddSingleton<ConcurrencyMetrics>();
        services.AddSingleton<SourceIndex>();
        services.AddSingleton<ObjectStore>();

        services.AddSingleton<BundleAdmission>();
        services.AddSingleton<BundleMemory>();
        builder.AddGatewayCache();
        services.AddSingleton<ResumeStateCache>();
        services.AddSingleton<BundleLinks>();
        services.AddSingleton<BundleMetrics>();
        services.AddSingleton<BundlePlanner>();
        services.AddSingleton<HeadVerifier>();
        services.AddSingleton<BundleStreamer>();
        services.AddSingleton<SourceAuthorization>();
        services.AddSingleton<RangeSender>();
        services.AddSingleton<RequestReader>();
        services.AddSingleton<ProblemResponder>();
        services.AddSingleton<BundleEndpoint>();
        services.AddSingleton<LinkEndpoint>();

        services.AddHostedService<UnobservedFaults>();
        services.AddSingleton<Drain>();
        services.AddHostedService(provider => provider.GetRequiredService<Drain>());
        services.AddHealthChecks().AddCheck<ReadyCheck>("ready", tags: [ReadyTag]);

        void AddPart<T>(Func<BundleOptions, T> part)
            where T : class =>
            services.AddSingleton(provider => Options.Create(part(provider.GetRequiredService<IOptions<BundleOptions>>().Value)));
    }

    public static void MapBundles(this WebApplication app)
    {
        var endpoint = app.Services.GetRequiredService<BundleEndpoint>();
        var bundles = app.MapGroup("/bundle");
        if (app.Services.GetRequiredService<IOptions<BundleOptions>>().Value.CorsPolicy is { } policy)
        {
            bundles.RequireCors(app.Services.GetRequiredService<CorsSettings>().NameOf(policy));
        }

        bundles.MapMethods("", [HttpMethods.Get, HttpMethods.Head, HttpMethods.Post], endpoint.SendAsync).WithMetadata(LongResponse.Metadata);
        bundles.MapPost("/links", app.Services.GetRequiredService<LinkEndpoint>().CreateAsync);
        bundles.MapMethods("/links/{token}", [HttpMethods.Get, HttpMethods.Head], endpoint.SendAsync).WithMetadata(LongResponse.Metadata);
        bundles.MapMethods("/plan", [HttpMethods.Get, HttpMethods.Post], endpoint.PlanAsync).WithMetadata(LongResponse.Metadata);
        app.MapHealthChecks("/health/live", new() { Predicate = _ => false });
        app.MapHealthChecks("/health/ready", new() { Predicate = check => check.Tags.Contains(ReadyTag) });
        var boundary = new RouteBoundary(app.Services.GetRequiredService<SourceIndex>());
        app.MapReverseProxy(proxy =>
            {
                proxy.Use(boundary.GuardAsync);
                proxy.UseSessionAffinity();
                proxy.Use(TriedDestinations.SkipAsync);
                proxy.UseLoadBalancing();
                proxy.UsePassiveHealthChecks();
                proxy.Use(DirectFailures.FilterAsync);
            })
            .ConfigureEndpoints(InternalRoutes.Mark);
    }
}
