namespace Gateway.Links;

/// <summary>Adds links to bundles.</summary>
internal static class LinksRegistration
{
    public static void AddLinks(this IServiceCollection services)
    {
        services.AddSingleton<LinkKeys>();
        services.AddSingleton<BundleLinks>();
    }
}
