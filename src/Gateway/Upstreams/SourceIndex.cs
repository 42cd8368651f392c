using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Model;

namespace Gateway.Upstreams;

/// <summary>
/// The sources by name. Rebuilt whenever the endpoints change; a reload with faults leaves the sources as they were and says so.
/// </summary>
internal sealed partial class SourceIndex(ILogger<SourceIndex> logger) : IDisposable
{
    private IDisposable? _subscription;
    private volatile FrozenDictionary<string, Source> _sources = FrozenDictionary<string, Source>.Empty;

    public IReadOnlyCollection<Source> All => _sources.Values;

    public Source? Find(ReadOnlySpan<char> name) =>
        _sources.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var source) ? source : null;

    /// <summary>Reads the sources from the endpoints, now and whenever they change.</summary>
    /// <returns>What is wrong with them now, a line each.</returns>
    public List<string> Follow(EndpointDataSource endpoints)
    {
        var faults = new List<string>();
        _sources = Read(endpoints, faults);
        _subscription = ChangeToken.OnChange(endpoints.GetChangeToken, () => Reload(endpoints));
        return faults;
    }

    public void Dispose() => _subscription?.Dispose();

    private void Reload(EndpointDataSource endpoints)
    {
        var faults = new List<string>();
        var sources = Read(endpoints, faults);
        if (faults.Count == 0)
        {
            _sources = sources;
        }
        else
        {
            LogReloadRefused(logger, string.Join("; ", faults));
        }
    }

    private static FrozenDictionary<string, Source> Read(EndpointDataSource dataSource, List<string> faults)
    {
        var sources = new Dictionary<string, Source>(StringComparer.Ordinal);
        foreach (var endpoint in dataSource.Endpoints)
        {
            if (endpoint is not RouteEndpoint routeEndpoint
                || endpoint.Metadata.GetMetadata<RouteModel>() is not { Config.Metadata: { } metadata } route)
            {
                continue;
            }

            foreach (var key in metadata.Keys)
            {
                if (key.StartsWith("Bundle.", StringComparison.OrdinalIgnoreCase) && key is not (Source.NameKey or Source.InternalKey or SourceHeaders.Key))
                {
                    faults.Add($"ReverseProxy:Routes:{route.Config.RouteId}:Metadata:{key}: unknown key; known: {Source.NameKey}, {Source.InternalKey}, {SourceHeaders.Key}");
                }
            }

            if (metadata.TryGetValue(Source.InternalKey, out var isInternal) && !bool.TryParse(isInternal, out _))
            {
                faults.Add($"ReverseProxy:Routes:{route.Config.RouteId}:Metadata:{Source.InternalKey}: '{isInternal}' is neither true nor false");
            }

            if (metadata.ContainsKey(Source.NameKey)
                && Source.From(routeEndpoint, route, faults) is { } source
                && !sources.TryAdd(source.Name, source))
            {
                faults.Add($"ReverseProxy:Routes:{route.Config.RouteId}:Metadata:{Source.NameKey}: '{source.Name}' is the source of route '{sources[source.Name].Route.Config.RouteId}' already");
            }
        }

        return sources.ToFrozenDictionary(StringComparer.Ordinal);
    }

    [LoggerMessage(LogLevel.Error, "The reloaded sources have faults; the earlier ones stay: {Faults}")]
    private static partial void LogReloadRefused(ILogger logger, string faults);
}
