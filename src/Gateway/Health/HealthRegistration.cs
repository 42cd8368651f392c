namespace Gateway.Health;

/// <summary>Adds and maps the health checks.</summary>
internal static class HealthRegistration
{
    private const string ReadyTag = "ready";

    public static void AddHealth(this IServiceCollection services)
    {
        services.AddHealthChecks().AddCheck<ReadyCheck>("ready", tags: [ReadyTag]);
        services.AddHostedService<StoreProbe>();
    }

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapHealthChecks("/health/live", new() { Predicate = _ => false });
        app.MapHealthChecks("/health/ready", new() { Predicate = check => check.Tags.Contains(ReadyTag) });
    }
}
