using Gateway.Server;
using Gateway.Storage;
using Gateway.Telemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Gateway.Hosting;

/// <summary>
/// Exports metrics, traces and logs by OTLP, as the standard variables <c>OTEL_*</c> say, and metrics for Prometheus at <c>/metrics</c> of the management
/// listener. Without either nothing is collected.
/// </summary>
internal static class OpenTelemetryRegistration
{
    /// <summary>The path for Prometheus.</summary>
    public const string MetricsPath = "/metrics";

    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static readonly string[] Meters =
    [
        GatewayMeter.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "System.Runtime",
    ];

    private static readonly string[] ClientTags = ["http.request.method", "http.response.status_code", "error.type", "network.protocol.version", "http.connection.state"];

    /// <exception cref="InvalidOperationException">A variable has a value that is not supported.</exception>
    public static void AddOpenTelemetryExporters(this WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        var (metrics, traces, logs) = (IsExported(configuration, "METRICS"), IsExported(configuration, "TRACES"), IsExported(configuration, "LOGS"));
        var isScraped = IsScraped(configuration);
        if (!(metrics || traces || logs || isScraped))
        {
            return;
        }

        // The environment comes last, so that OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("gateway", serviceVersion: ProductVersion.Text).AddEnvironmentVariableDetector());
        if (metrics || isScraped)
        {
            telemetry.WithMetrics(provider =>
            {
                provider.AddMeter(Meters);

                // Without the hosts and addresses of storage: an operator's metrics must not grow with every address that a store moves to.
                provider.AddView(instrument => instrument.Meter.Name == "System.Net.Http" ? new MetricStreamConfiguration { TagKeys = ClientTags } : null);
                if (metrics)
                {
                    provider.AddOtlpExporter();
                }

                if (isScraped)
                {
                    provider.AddPrometheusExporter();
                }
            });
        }

        if (traces)
        {
            telemetry.WithTracing(provider => provider.AddSource(GatewayActivity.Source.Name).AddOtlpExporter());
        }

        if (logs)
        {
            telemetry.WithLogging(provider => provider.AddOtlpExporter(), options => options.IncludeFormattedMessage = true);
        }
    }

    /// <summary>Maps the page for Prometheus, if there is a management listener.</summary>
    public static void MapMetrics(this WebApplication app)
    {
        if (IsScraped(app.Configuration))
        {
            app.MapPrometheusScrapingEndpoint(MetricsPath).WithMetadata(Management.Endpoint);
        }
    }

    private static bool IsScraped(IConfiguration configuration) => Management.GetUrls(configuration).Length > 0 && !IsDisabled(configuration);

    private static bool IsDisabled(IConfiguration configuration) => string.Equals(configuration["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a signal has an address to go to. The library itself would send to localhost by default.</summary>
    private static bool IsExported(ConfigurationManager configuration, string signal)
    {
        var key = $"OTEL_{signal}_EXPORTER";
        var isOtlp = configuration[key]?.Trim() switch
        {
            null or "" or "otlp" => true,
            "none" => false,
            "prometheus" when signal == "METRICS" => false,
            _ => throw new InvalidOperationException($"{key}: is neither otlp nor none"),
        };
        return isOtlp && !IsDisabled(configuration) && (configuration[Endpoint] is { Length: > 0 } || configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"] is { Length: > 0 });
    }
}
