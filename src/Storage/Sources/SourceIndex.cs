using System.Collections.Frozen;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Model;

namespace Gateway.Storage.Sources;

/// <summary>
/// The sources by name, always those of the routes that YARP serves now. An invalid reload never gets here, because
/// <see cref="SourceConfigFilter"/> makes YARP reject it.
/// </summary>
/// <remarks>
/// Changes are detected at every use instead of by a callback: callbacks run one after the other, so for a moment a direct request
/// would get the new policy and a bundle the old one.
/// </remarks>
public sealed class SourceIndex(IServiceProvider services, DefaultSource defaultSource)
{
    private readonly Lock _lock = new();
    private IReadOnlyList<EndpointDataSource> _endpoints = [];
    private volatile Snapshot _snapshot = new(FrozenDictionary<string, Source>.Empty, new RouteMatcher(services, []), []);

    /// <summary>All sources.</summary>
    public IReadOnlyCollection<Source> All => Current().Sources.Values;

    /// <summary>Resolves paths to routes.</summary>
    public RouteMatcher Matcher => Current().Matcher;

    /// <summary>The source of this name, or null.</summary>
    public Source? Find(ReadOnlySpan<char> name) =>
        Current().Sources.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var source) ? source : null;

    /// <summary>The source that an id names, and the object's key there.</summary>
    /// <param name="id">Source and key, separated by the first slash; or only a key, where there is a default source.</param>
    /// <returns>Null when the id leads to no source.</returns>
    public (Source Source, string Key)? Locate(string id)
    {
        var slash = id.IndexOf('/');
        return slash > 0 && Find(id.AsSpan(0, slash)) is { } named ? (named, id[(slash + 1)..])
            : defaultSource.Name is { } name && Find(name) is { } standard ? (standard, id)
            : null;
    }

    /// <summary>Reads the sources from the endpoints of the server, now and after every change.</summary>
    public void Follow(IEnumerable<EndpointDataSource> endpoints)
    {
        lock (_lock)
        {
            _endpoints = [.. endpoints];
            _snapshot = Read();
        }
    }

    private Snapshot Current()
    {
        var snapshot = _snapshot;
        if (!snapshot.HasChanged)
        {
            return snapshot;
        }

        lock (_lock)
        {
            return _snapshot.HasChanged ? _snapshot = Read() : _snapshot;
        }
    }

    private Snapshot Read()
    {
        // Before the endpoints, so that a change in between is seen at the next use.
        var tokens = _endpoints.Select(source => source.GetChangeToken()).ToArray();
        var endpoints = _endpoints.SelectMany(source => source.Endpoints).ToArray();
        var routes = endpoints.OfType<RouteEndpoint>().ToArray();
        var matcher = new RouteMatcher(services, endpoints);
        var sources = new Dictionary<string, Source>(StringComparer.Ordinal);
        foreach (var endpoint in routes)
        {
            if (endpoint.Metadata.GetMetadata<RouteModel>() is { } route
                && SourceConfig.Parse(route.Config, route.Cluster?.Model.Config, []) is { } config)
            {
                var folders = endpoint.RoutePattern.PathSegments.Count - 1;
                var hasRivals = routes.Any(other => other != endpoint && CanMatchUnder(other.RoutePattern, endpoint.RoutePattern, folders));
                sources.TryAdd(config.Name, new Source(config, endpoint, route, hasRivals ? matcher : null));
            }
        }

        return new Snapshot(sources.ToFrozenDictionary(StringComparer.Ordinal), matcher, tokens);
    }

    /// <summary>Whether a pattern can match a path that begins with the first, literal segments of another one.</summary>
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

    private sealed record Snapshot(FrozenDictionary<string, Source> Sources, RouteMatcher Matcher, IReadOnlyList<IChangeToken> Tokens)
    {
        public bool HasChanged
        {
            get
            {
                for (var i = 0; i < Tokens.Count; i++)
                {
                    if (Tokens[i].HasChanged)
                    {
                        return true;
                    }
                }

                return false;
            }
        }
    }
}
