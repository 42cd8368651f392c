using System.Collections.Frozen;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Model;

namespace Gateway.Upstreams;

/// <summary>
/// The sources by name, always those of the routes that YARP serves now. A reload with faults never comes here:
/// <see cref="SourceConfigFilter"/> has YARP reject it.
/// </summary>
internal sealed class SourceIndex : IDisposable
{
    private IDisposable? _subscription;
    private volatile FrozenDictionary<string, Source> _sources = FrozenDictionary<string, Source>.Empty;

    public IReadOnlyCollection<Source> All => _sources.Values;

    public Source? Find(ReadOnlySpan<char> name) =>
        _sources.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var source) ? source : null;

    /// <summary>Reads the sources from the endpoints, now and whenever they change.</summary>
    public void Follow(EndpointDataSource endpoints)
    {
        _sources = Read(endpoints);
        _subscription = ChangeToken.OnChange(endpoints.GetChangeToken, () => _sources = Read(endpoints));
    }

    public void Dispose() => _subscription?.Dispose();

    private static FrozenDictionary<string, Source> Read(EndpointDataSource dataSource)
    {
        var sources = new Dictionary<string, Source>(StringComparer.Ordinal);
        var endpoints = dataSource.Endpoints.OfType<RouteEndpoint>().ToArray();
        foreach (var endpoint in endpoints)
        {
            if (endpoint.Metadata.GetMetadata<RouteModel>() is { } route
                && SourceConfig.Parse(route.Config, route.Cluster?.Model.Config, []) is { } config)
            {
                var folders = endpoint.RoutePattern.PathSegments.Count - 1;
                var hasRivals = endpoints.Any(other => other != endpoint && CanMatchUnder(other.RoutePattern, endpoint.RoutePattern, folders));
                sources.TryAdd(config.Name, new Source(config, endpoint, route, hasRivals));
            }
        }

        return sources.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>Whether a pattern can match a path that begins with the first segments of another one, which are literals.</summary>
    private static bool CanMatchUnder(RoutePattern pattern, RoutePattern other, int folders)
    {
        for (var i = 0; i < pattern.PathSegments.Count && i < folders; i++)
        {
            var parts = pattern.PathSegments[i].Parts;
            if (parts.Any(part => part is RoutePatternParameterPart { IsCatchAll: true }))
            {
                return true;
            }

            if (parts is [RoutePatternLiteralPart literal] && other.PathSegments[i].Parts is [RoutePatternLiteralPart folder]
                && !literal.Content.Equals(folder.Content, StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }
        }

        return pattern.PathSegments.Count > folders;
    }
}
