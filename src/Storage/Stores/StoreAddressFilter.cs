using Gateway.Storage.Sources;
using Gateway.Storage.Stores.Dialects;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Storage.Stores;

/// <summary>Checks the addresses of clusters that are stores, also those of health checks, at startup and at every reload: each must contain the bucket, and secrets need TLS.</summary>
internal sealed class StoreAddressFilter(StoreCatalogue stores) : IProxyConfigFilter
{
    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel)
    {
        if (stores.HasChanged)
        {
            // A new cluster would be an open proxy to a store that the gateway does not know as one.
            throw new InvalidConfigurationException([$"{StoreCatalogue.Section}: has changed, and is read only at the start. Restart to apply it"]);
        }

        if (stores.Find(cluster.ClusterId) is { } options)
        {
            var faults = (cluster.Destinations ?? new Dictionary<string, DestinationConfig>())
                .SelectMany(destination => FindFaults(destination.Value, options).Select(fault => $"ReverseProxy:Clusters:{cluster.ClusterId}:Destinations:{destination.Key}:{fault}"))
                .ToArray();
            if (faults.Length > 0)
            {
                throw new InvalidConfigurationException(faults);
            }
        }

        return new(cluster);
    }

    public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel)
    {
        if (cluster is not null
            && route.Metadata?.GetValueOrDefault(SourceConfig.ListKey) is { } text && bool.TryParse(text, out var lists) && lists
            && stores.Find(cluster.ClusterId) is null
            && cluster.Destinations?.Values.All(destination => destination.Address.StartsWith("file:", StringComparison.OrdinalIgnoreCase)) is not true)
        {
            throw new InvalidConfigurationException([$"ReverseProxy:Routes:{route.RouteId}:Metadata:{SourceConfig.ListKey}: only folders and stores (section {StoreCatalogue.Section}) can be listed"]);
        }

        return new(route);
    }

    private static IEnumerable<string> FindFaults(DestinationConfig destination, StoreOptions options)
    {
        var faults = FindFaults(destination.Address, options).Select(fault => $"{nameof(destination.Address)}: {fault}");

        // Health checks carry the credential too.
        return string.IsNullOrEmpty(destination.Health) ? faults : faults.Concat(FindFaults(destination.Health, options).Select(fault => $"{nameof(destination.Health)}: {fault}"));
    }

    private static IEnumerable<string> FindFaults(string? address, StoreOptions options)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            yield return "a store needs an address with http or https";
            yield break;
        }

        if (uri.Query.Length > 0 || uri.UserInfo.Length > 0)
        {
            yield return "a store's address has no query and no user";
        }

        if (StoreAddress.FindBucket(uri, options) is null)
        {
            yield return $"does not contain the bucket '{options.Bucket}': neither as '{options.Bucket}.' before the host, nor as the first segment of the path";
        }

        if (options.Kind != StoreKind.Azure && StoreAddress.FindBucket(uri, options) is { Length: > 0 } && uri.Host.StartsWith(options.Bucket + ".", StringComparison.OrdinalIgnoreCase))
        {
            yield return $"contains the bucket '{options.Bucket}' twice, in the host and in the path; use another host name or an IP address";
        }

        if (uri.Scheme == "http" && options.CustomerKeyFile is not null)
        {
            yield return "a customer's key may only be sent with https";
        }

        if (uri.Scheme == "http" && !uri.IsLoopback && options.Source != StoreCredentials.None && (options.SendsSecrets || !options.AllowPlainHttp))
        {
            yield return options.SendsSecrets
                ? "tokens and shared access signatures may only be sent with https"
                : "signed requests need https, unless AllowPlainHttp is set";
        }
    }
}
