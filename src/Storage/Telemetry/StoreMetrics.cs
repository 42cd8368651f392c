using System.Diagnostics.Metrics;
using Gateway.Storage.Stores;

namespace Gateway.Storage.Telemetry;

/// <summary>Publishes how often requests to stores were authorized, and how old their credentials are. Keys and SAS of the configuration have no age.</summary>
internal sealed class StoreMetrics
{
    public StoreMetrics(IMeterFactory factory, StoreCatalogue stores)
    {
        var meter = factory.Create(GatewayMeter.Name);
        meter.CreateObservableCounter(
            "gateway.stores.signatures",
            () => stores.Clusters.Select(store => new Measurement<long>(stores.FindDialect(store)?.Signatures ?? 0, GetTag(store))),
            "{signature}",
            "Requests to a store that were signed or got a token.");
        meter.CreateObservableGauge(
            "gateway.stores.credential_age",
            () => stores.Clusters.SelectMany(store => stores.FindDialect(store)?.CredentialAge is { } age ? new[] { new Measurement<double>(age.TotalSeconds, GetTag(store)) } : []),
            "s",
            "Time since a store's credential was last renewed.");
    }

    private static KeyValuePair<string, object?> GetTag(string store) => new("store", store);
}
