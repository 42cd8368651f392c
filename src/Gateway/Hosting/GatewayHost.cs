using System.Text.Encodings.Web;
using Gateway.Access;
using Gateway.Admission;
using Gateway.Archiving;
using Gateway.Bundles;
using Gateway.Configuration;
using Gateway.Doors;
using Gateway.Health;
using Gateway.Links;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Runs;
using Gateway.Server;
using Gateway.Status;
using Gateway.Storage;
using Gateway.Storage.Sources;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Hosting;

/// <summary>Builds the host from one configuration file.</summary>
internal static class GatewayHost
{
    /// <summary>Where the gateway listens if nothing is configured.</summary>
    public const string DefaultUrl = "http://localhost:8080";
    private const string DefaultFile = "appsettings.json";

    // The host would watch files that are not read. Each watcher is an inotify instance, and a user has 128 of them on many machines.
    private const string NoOtherWatchers = "--hostBuilder:reloadConfigOnChange=false";

    // A line for each bundle and none for each of its objects; readiness says 503 while draining, which is no error. The file and
    // the environment win.
    private static readonly Dictionary<string, string?> QuietLogs = new()
    {
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
        ["Logging:LogLevel:Microsoft.AspNetCore.DataProtection"] = "Error",
        ["Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks"] = "None",
        ["Logging:LogLevel:Yarp"] = "Warning",
    };

    // What the host needs after the drain to stop the server itself.
    private static readonly TimeSpan StopReserve = TimeSpan.FromSeconds(10);

    /// <summary>Builds a host that can be run.</summary>
    /// <param name="configurationFile">Read in place of <c>appsettings.json</c>; its folder is the content root.</param>
    /// <param name="urls">Where to listen, over every other setting.</param>
    /// <param name="extend">A last word on services and settings, for tests.</param>
    /// <exception cref="InvalidConfigurationException">It names every fault.</exception>
    public static WebApplication Build(string? configurationFile = null, string? urls = null, Action<WebApplicationBuilder>? extend = null)
    {
        var file = FindFile(configurationFile);
        try
        {
            var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = Path.GetDirectoryName(file), Args = [NoOtherWatchers] });
            UseOneFile(builder.Configuration, file, urls);
            Configure(builder);
            extend?.Invoke(builder);
            RequireValid(ConfigurationFaults.Find<BundleOptions>(builder.Configuration.GetSection(BundleOptions.Section)));
            var app = builder.Build();
            var source = builder.Configuration.Sources.OfType<ConfigurationFile>().Single();
            source.Logger = app.Services.GetRequiredService<ILogger<ConfigurationFile>>();
            source.Refused = () => app.Services.GetRequiredService<BundleMetrics>().Reloaded(isApplied: false);
            var options = app.Services.GetRequiredService<IOptions<BundleOptions>>().Value;
            Map(app);
            RequireValid(Check(app, options));

            // Metrics exist from the start, and services that cannot be created fail now.
            DoorsRegistration.CreateServices(app.Services);
            app.Lifetime.ApplicationStarted.Register(() =>
            {
                app.Services.GetRequiredService<BundleMetrics>().PublishZeros(nameof(BundleOperation.Archive), [.. Enum.GetValues<ArchiveFormat>().Select(FormatNames.GetName)]);
                Banner.Print(app);
            });
            return app;
        }
        catch (Exception e) when (e is OptionsValidationException or InvalidOperationException or AggregateException or InvalidDataException or FormatException
            or IOException or UnauthorizedAccessException)
        {
            throw new InvalidConfigurationException([.. ConfigurationFaults.From(e)], e);
        }
    }

    /// <summary>Reads a configuration as a host would, with the environment, and builds nothing.</summary>
    /// <exception cref="InvalidConfigurationException">There is no such file, or it is not JSON.</exception>
    public static IConfiguration ReadConfiguration(string? configurationFile)
    {
        var file = FindFile(configurationFile);
        try
        {
            return new ConfigurationBuilder().AddJsonFile(file, optional: false, reloadOnChange: false).AddEnvironmentVariables("DOTNET_").AddEnvironmentVariables("ASPNETCORE_").AddEnvironmentVariables().Build();
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidConfigurationException([.. ConfigurationFaults.From(e)], e);
        }
    }

    private static string FindFile(string? configurationFile)
    {
        var file = configurationFile is null ? Path.Combine(AppContext.BaseDirectory, DefaultFile) : Path.GetFullPath(configurationFile);
        return File.Exists(file) ? file : throw new InvalidConfigurationException([$"there is no configuration file '{file}'"]);
    }

    private static void UseOneFile(ConfigurationManager configuration, string file, string? urls)
    {
        // One file and no more: whatever stood beside the program must not outlive an operator's own file.
        foreach (var other in configuration.Sources.OfType<JsonConfigurationSource>().ToArray())
        {
            configuration.Sources.Remove(other);
        }

        var source = new ConfigurationFile { Path = file };
        source.ResolveFileProvider();
        configuration.Sources.Insert(0, source);
        configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = QuietLogs });
        if (urls is not null)
        {
            configuration.AddInMemoryCollection([new(WebHostDefaults.ServerUrlsKey, urls)]);
        }
        else if (configuration[WebHostDefaults.ServerUrlsKey] is null
            && configuration[WebHostDefaults.HttpPortsKey] is null
            && configuration[WebHostDefaults.HttpsPortsKey] is null
            && !configuration.GetSection("Kestrel:Endpoints").Exists())
        {
            configuration.AddInMemoryCollection([new(WebHostDefaults.ServerUrlsKey, DefaultUrl)]);
        }

        if (Management.GetUrls(configuration).Length > 0)
        {
            configuration.AddInMemoryCollection([new(WebHostDefaults.ServerUrlsKey, Management.Join(configuration))]);
        }
    }

    private static void Configure(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddProblemDetails();
        builder.AddAccess();
        builder.AddCorsPolicies();
        builder.Services.AddRequestTimeouts();
        builder.Services.AddBundleOptions(builder.Configuration);
        builder.Services.AddStores(builder.Configuration);
        builder.Services.AddStorage(builder.Configuration).AddConfigFilter<RoutePolicyFilter>().Services.AddSingleton<IConfigChangeListener, ReloadListener>();
        builder.Services.AddAdmission();
        builder.Services.AddHealth();
        builder.Services.AddBundles();
        builder.Services.AddDoors();
        builder.AddGatewayCache();
        builder.Services.AddResuming();
        builder.Services.AddLinks();
        builder.Services.AddRequests();
        builder.Services.AddResponses();
        builder.Services.AddTelemetry();
        builder.Services.AddSingleton<IConfigureOptions<SocketTransportOptions>, ClientSockets>();
        builder.Services.AddOptions<HostOptions>().Configure<IOptions<DrainOptions>>(
            (host, drain) => host.ShutdownTimeout = drain.Value.Delay + drain.Value.Timeout + StopReserve);
        builder.WebHost.ConfigureKestrel(server =>
        {
            server.AddServerHeader = false;
            ServerLimits.Apply(server.Limits, builder.Configuration);
            RequestUriLimit.Widen(server.Limits);
        });
        builder.Services.AddSingleton<ServerCertificates>();

        // Closing a connection takes real time, whatever the clock says.
        builder.Services.AddSingleton(services => new LostConnections(TimeProvider.System, services.GetRequiredService<ILogger<LostConnections>>()));
        builder.Services.AddOptions<KestrelServerOptions>().Configure<ServerCertificates, LostConnections>((server, certificates, lost) =>
        {
            server.ConfigureEndpointDefaults(endpoint =>
            {
                endpoint.Use(lost.Guard);
                endpoint.Use(RequestLineGuard.Guard);
            });
            certificates.Apply(server);
        });

        // Faults of it shall show now, not when the server starts.
        var limits = new KestrelServerLimits();
        ServerLimits.Apply(limits, builder.Configuration);
        builder.Services.AddSingleton(new RequestUriLimit(limits.MaxRequestLineSize));
        builder.AddKnownProxies();
        builder.Logging.ClearProviders();
        PlainConsole.Add(builder.Logging);
        builder.Services.Configure<SimpleConsoleFormatterOptions>(console => console.ColorBehavior = LoggerColorBehavior.Disabled);
        builder.Services.Configure<JsonConsoleFormatterOptions>(console =>
        {
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "O";
            console.JsonWriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        });

        // After the default providers of logs were removed.
        builder.AddOpenTelemetryExporters();
    }

    private static void Map(WebApplication app)
    {
        var time = app.Services.GetRequiredService<TimeProvider>();
        var patience = app.Services.GetRequiredService<IOptions<ClientOptions>>().Value.StallTimeout;
        app.Use(RequestBodyDrain.AllowAsync);
        app.Use(new Http2IdleTimeout(time, patience + ResponseTimeout.Short).GuardAsync);
        app.Use(new ResponseTimeout(time).GuardAsync);
        if (Management.GetUrls(app.Configuration) is { Length: > 0 } urls)
        {
            app.Use(new Management(app.Services.GetRequiredService<IServer>(), urls).GuardAsync);
        }

        // Before anything that refuses a request: a web app can read an error only if it has the headers too. A preflight has no credentials.
        app.UseCors();
        app.Use(app.Services.GetRequiredService<RequestUriLimit>().GuardAsync);
        app.Use(RequestTargetGuard.GuardAsync);
        app.Use(InternalRoutes.HideAsync);
        app.UseKnownProxies();
        app.UseAccess();
        app.UseRequestTimeouts();
        app.MapHealth();
        app.MapMetrics();
        if (Management.GetUrls(app.Configuration).Length > 0)
        {
            app.MapStatus();
        }

        var bundles = app.MapBundles();
        if (app.Services.GetRequiredService<IOptions<BundleOptions>>().Value.CorsPolicy is { } policy)
        {
            bundles.RequireCors(app.Services.GetRequiredService<CorsSettings>().GetName(policy));
        }

        app.MapStorage(new RouteBoundary(app.Services.GetRequiredService<SourceIndex>()).GuardAsync);
    }

    private static List<string> Check(WebApplication app, BundleOptions options)
    {
        var sources = app.Services.GetRequiredService<SourceIndex>();
        var faults = new List<string>();
        if (options.DefaultSource is { } name && sources.Find(name) is null)
        {
            faults.Add(app.Services.GetRequiredService<DefaultSource>().Fault);
        }

        if (options.CorsPolicy is { } cors && !app.Services.GetRequiredService<CorsSettings>().Policies.ContainsKey(cors))
        {
            faults.Add($"{BundleOptions.Section}:{nameof(BundleOptions.CorsPolicy)}: there is no policy '{cors}' in {CorsSettings.Section}:{nameof(CorsSettings.Policies)}");
        }

        var clusters = app.Configuration.GetSection($"{StorageRegistration.ProxySection}:Clusters").GetChildren().Select(cluster => cluster.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        faults.AddRange(options.Ready.RequiredClusters
            .Where(cluster => !clusters.Contains(cluster))
            .Select(cluster => $"{BundleOptions.Section}:{nameof(BundleOptions.Ready)}:{nameof(ReadyOptions.RequiredClusters)}: there is no cluster '{cluster}'"));
        TestEncoders(options, faults);
        return faults;
    }

    /// <summary>Every encoder that a request may choose has to show at the start that it works.</summary>
    private static void TestEncoders(BundleOptions options, List<string> faults)
    {
        foreach (var (format, compression) in from format in Enum.GetValues<ArchiveFormat>() from compression in Enum.GetValues<Compression>() select (format, compression))
        {
            try
            {
                new ArchiveRecipe(format, compression, options.Compression.Encoder).SelfTest();
            }
            catch (NotSupportedException e)
            {
                var fault = $"{BundleOptions.Section}:{nameof(BundleOptions.Compression)}:{nameof(CompressionOptions.Encoder)}: {e.Message}";
                if (!faults.Contains(fault))
                {
                    faults.Add(fault);
                }
            }
        }
    }

    private static void RequireValid(List<string> faults)
    {
        if (faults.Count > 0)
        {
            throw new InvalidConfigurationException(faults);
        }
    }
}
