namespace Gateway.Requests;

/// <summary>Adds the reader of requests.</summary>
internal static class RequestsRegistration
{
    public static void AddRequests(this IServiceCollection services)
    {
        services.AddSingleton<BundleRequestReader>();
    }
}
