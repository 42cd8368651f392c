using System.Collections.Concurrent;
using Gateway.Storage.Failures;
using Gateway.Storage.Stores.AzureBlobs;
using Gateway.Storage.Stores.Dialects;
using Gateway.Storage.Stores.GoogleCloud;
using Gateway.Storage.Stores.S3;

namespace Gateway.Storage.Stores;

/// <summary>The stores of the configuration by cluster. The credentials of each are shared by all of its requests, also across reloads of YARP's routes.</summary>
/// <param name="stores">The section <c>Stores</c>, validated.</param>
/// <param name="hasChanged">Whether the section differs now from the given one.</param>
/// <param name="onFailure">Called with the cluster and each failure.</param>
/// <param name="time">The clock.</param>
public sealed class StoreCatalogue(IReadOnlyDictionary<string, StoreOptions> stores, Func<bool> hasChanged, Action<string, StorageException> onFailure, TimeProvider time)
{
    /// <summary>The section's name.</summary>
    public const string Section = "Stores";

    private readonly ConcurrentDictionary<string, Lazy<StoreDialect>> _dialects = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the section has been changed since the start. It is read only then.</summary>
    public bool HasChanged => hasChanged();

    /// <summary>The clusters that are stores.</summary>
    public IEnumerable<string> Clusters => stores.Keys;

    /// <summary>The section of a cluster; null if the cluster is not a store.</summary>
    public StoreOptions? Find(string cluster) => stores.GetValueOrDefault(cluster);

    /// <summary>Every error of the section.</summary>
    public static IEnumerable<string> FindFaults(IReadOnlyDictionary<string, StoreOptions> stores) => stores.SelectMany(store => StoreOptionsRules.FindFaults(store.Key, store.Value));

    /// <summary>Wraps a cluster's connections, if the cluster is a store.</summary>
    internal HttpMessageHandler Wrap(string cluster, HttpMessageHandler connections) => Find(cluster) is { } options
        ? new StoreHandler(connections, GetDialect(cluster, options), options, new StoreErrors(cluster, options, time), failure => onFailure(cluster, failure), time)
        : connections;

    /// <summary>The dialect of a cluster; null until YARP has created the cluster's client.</summary>
    internal StoreDialect? FindDialect(string cluster) => _dialects.TryGetValue(cluster, out var dialect) && dialect.IsValueCreated ? dialect.Value : null;

    private StoreDialect GetDialect(string cluster, StoreOptions options) => _dialects.GetOrAdd(cluster, _ => new Lazy<StoreDialect>(() => options.Kind switch
    {
        StoreKind.Azure => new AzureDialect(options, time),
        StoreKind.Gcs => new GoogleDialect(options, time),
        _ => new S3Dialect(options, time),
    })).Value;
}
