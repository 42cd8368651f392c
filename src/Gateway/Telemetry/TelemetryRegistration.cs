namespace Gateway.Telemetry;

/// <summary>Adds metrics and the report of exceptions that no task observed.</summary>
internal static class TelemetryRegistration
{
    public static void AddTelemetry(this IServiceCollection services)
    {
        services.AddSingleton<BundleMetrics>();
        services.AddSingleton<StoreLog>();
        services.AddHostedService<UnobservedFaults>();
    }
}
