using Gateway.Configuration;
using Gateway.Storage;
using Gateway.Storage.Stores;
using Gateway.Storage.Stores.Dialects;
using Gateway.Telemetry;

namespace Gateway.Hosting;

/// <summary>Binds and checks the section <c>Stores</c>.</summary>
internal static class StoresRegistration
{
    /// <exception cref="InvalidConfigurationException">It names every error.</exception>
    public static void AddStores(this IServiceCollection services, IConfiguration configuration)
    {
        var section = configuration.GetSection(StoreCatalogue.Section);
        var stores = new Dictionary<string, StoreOptions>(StringComparer.OrdinalIgnoreCase);
        var faults = ConfigurationFaults.Find<Dictionary<string, StoreOptions>>(section, hasSecrets: true);
        if (faults.Count == 0)
        {
            section.Bind(stores);
            var clusters = configuration.GetSection($"{StorageRegistration.ProxySection}:Clusters").GetChildren().Select(cluster => cluster.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
            faults.AddRange(stores.Keys.Where(name => !clusters.Contains(name)).Select(name => $"{section.Path}:{name}: there is no cluster '{name}'"));
            faults.AddRange(StoreCatalogue.FindFaults(stores));
        }

        if (faults.Count > 0)
        {
            throw new InvalidConfigurationException(faults);
        }

        var atStart = Read(section);
        services.AddSingleton(provider => new StoreCatalogue(stores, () => !Read(section).SequenceEqual(atStart), provider.GetRequiredService<StoreLog>().Note, provider.GetRequiredService<TimeProvider>()));
    }

    private static List<KeyValuePair<string, string?>> Read(IConfigurationSection section) => [.. section.AsEnumerable().OrderBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase)];
}
