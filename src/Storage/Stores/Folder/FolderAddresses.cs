using Yarp.ReverseProxy.Configuration;

namespace Gateway.Storage.Stores.Folder;

/// <summary>
/// Makes destinations like <c>file:objects/</c> absolute; they are relative to the content root.
/// </summary>
internal sealed class FolderAddresses(IHostEnvironment environment) : IProxyConfigFilter
{
    private const string Scheme = "file:";

    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel)
    {
        if (cluster.Destinations is not { } destinations || !destinations.Values.Any(IsFolder))
        {
            return new(cluster);
        }

        return new(cluster with
        {
            Destinations = destinations.ToDictionary(
                pair => pair.Key,
                pair => IsFolder(pair.Value) ? pair.Value with { Address = Absolute(cluster.ClusterId, pair.Key, pair.Value.Address) } : pair.Value,
                StringComparer.OrdinalIgnoreCase),
        });
    }

    public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel) => new(route);

    private static bool IsFolder(DestinationConfig destination) =>
        destination.Address?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true;

    private string Absolute(string cluster, string destination, string address)
    {
        var path = Uri.UnescapeDataString(address[Scheme.Length..]);

        // file:///srv/objects/ is the form of RFC 8089, file:/srv/objects/ its short form, file:objects/ our extension.
        if (path.StartsWith("//", StringComparison.Ordinal))
        {
            path = path[2..];
        }

        var folder = Path.GetFullPath(path, environment.ContentRootPath);
        if (!Directory.Exists(folder))
        {
            throw new InvalidOperationException($"ReverseProxy:Clusters:{cluster}:Destinations:{destination}:Address: the folder '{folder}' does not exist");
        }

        return new Uri(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar).AbsoluteUri;
    }
}
