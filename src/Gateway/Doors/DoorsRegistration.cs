using Gateway.Bundles;

namespace Gateway.Doors;

/// <summary>Adds the doors.</summary>
internal static class DoorsRegistration
{
    public static void AddDoors(this IServiceCollection services)
    {
        services.AddSingleton<RequestDoor>();
        services.AddSingleton<PageTokens>();
        services.AddSingleton<ListDoor>();
        services.AddSingleton<LinkDoor>();
        services.AddSingleton<LinkCreator>();
    }

    /// <summary>Creates everything that requests need, before the first one comes.</summary>
    public static void CreateServices(IServiceProvider services)
    {
        _ = services.GetRequiredService<BundleRunFactory>();
        _ = services.GetRequiredService<BundleExecutor>();
        _ = services.GetRequiredService<RequestDoor>();
        _ = services.GetRequiredService<ListDoor>();
        _ = services.GetRequiredService<LinkDoor>();
        _ = services.GetRequiredService<LinkCreator>();
    }
}
