using System.Globalization;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Model;

namespace Gateway.Upstreams;

/// <summary>
/// A YARP route whose metadata names it as a place to take objects from. It holds the endpoint as it was when the
/// configuration was loaded: a bundle that runs across a reload finishes on what it began with.
/// </summary>
internal sealed class Source
{
    public const string NameKey = "Bundle.Source";
    public const string InternalKey = "Bundle.Internal";

    /// <summary>In a cluster's metadata: how many parts of a large object are read at once.</summary>
    public const string RangesKey = "Bundle.ParallelRanges";

    private const int MostRanges = 32;

    private const long FirstGuess = 32 * 1024;

    private readonly RouteEndpoint _endpoint;
    private readonly string _pathBeforeKey;
    private readonly string _keyParameter;
    private long _lastSize = FirstGuess;

    private Source(
        string name, RouteEndpoint endpoint, RouteModel route, string pathBeforeKey, string keyParameter, int parallelRanges, IReadOnlyList<string> headers)
    {
        ParallelRanges = parallelRanges;
        Headers = headers;
        Name = name;
        Route = route;
        _endpoint = endpoint;
        _pathBeforeKey = pathBeforeKey;
        _keyParameter = keyParameter;
    }

    public string Name { get; }

    public RouteModel Route { get; }

    public Endpoint Endpoint => _endpoint;

    /// <summary>Parts of a large object that are read at once; 1 where the cluster does not say it.</summary>
    public int ParallelRanges { get; }

    /// <summary>Names of the client's headers that storage gets; see <see cref="SourceHeaders"/>.</summary>
    public IReadOnlyList<string> Headers { get; }

    /// <summary>
    /// Bytes of the object seen last, as a guess at the next one's: whether to ask for it whole or for its head first. A wrong
    /// guess costs a request.
    /// </summary>
    public long LastSize
    {
        get => Volatile.Read(ref _lastSize);
        set => Volatile.Write(ref _lastSize, value);
    }

    /// <summary>Where a try could go now.</summary>
    public IReadOnlyList<DestinationState> AvailableDestinations => Route.Cluster?.DestinationsState.AvailableDestinations ?? [];

    /// <summary>Reads a route; a fault is one line for the operator.</summary>
    public static Source? From(RouteEndpoint endpoint, RouteModel route, List<string> faults)
    {
        var metadata = route.Config.Metadata!;
        var name = metadata[NameKey];
        var where = $"ReverseProxy:Routes:{route.Config.RouteId}";
        if (name is null || name.Length is 0 or > 64 || name is "." or ".." || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            faults.Add($"{where}:Metadata:{NameKey}: '{name}' is no source name; 1-64 of A-Z a-z 0-9 - _ . are");
            return null;
        }

        if (route.Cluster is null)
        {
            faults.Add($"{where}:ClusterId: there is no cluster '{route.Config.ClusterId}'");
            return null;
        }

        if (route.Config.Match is { Hosts.Count: > 0 } or { Headers.Count: > 0 } or { QueryParameters.Count: > 0 })
        {
            faults.Add($"{where}:Match: a source is matched by its path alone; a bundle would not ask for its Hosts, Headers or QueryParameters");
        }

        var ranges = ParallelRangesOf(route.Cluster, faults);
        if (!SourceHeaders.TryParse(metadata.GetValueOrDefault(SourceHeaders.Key), out var headers, out var fault))
        {
            faults.Add($"{where}:Metadata:{SourceHeaders.Key}: {fault}");
        }

        var segments = endpoint.RoutePattern.PathSegments;
        if (segments.Count == 0
            || segments[^1] is not { IsSimple: true } last
            || last.Parts[0] is not RoutePatternParameterPart { IsCatchAll: true } key
            || segments.Take(segments.Count - 1).Any(segment => segment.Parts.Any(part => !part.IsLiteral)))
        {
            faults.Add($"{where}:Match:Path: a source needs literal segments and a catch-all for the key, like '/{name}/{{**key}}'");
            return null;
        }

        var literals = segments.Take(segments.Count - 1)
            .Select(segment => string.Concat(segment.Parts.Cast<RoutePatternLiteralPart>().Select(part => part.Content)) + "/");
        return new Source(name, endpoint, route, "/" + string.Concat(literals), key.Name, ranges, headers);
    }

    /// <summary>Makes a request look as if routing had matched it to this source with this key.</summary>
    public void Address(HttpContext request, string key)
    {
        request.Request.Path = new PathString(_pathBeforeKey + key);
        request.Request.RouteValues[_keyParameter] = key;
        request.SetEndpoint(_endpoint);
    }

    private static int ParallelRangesOf(ClusterState cluster, List<string> faults)
    {
        var ranges = 1;
        foreach (var (key, value) in cluster.Model.Config.Metadata ?? new Dictionary<string, string>())
        {
            if (key == RangesKey)
            {
                if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ranges) || ranges is < 1 or > MostRanges)
                {
                    faults.Add($"ReverseProxy:Clusters:{cluster.ClusterId}:Metadata:{key}: '{value}' is no number of 1-{MostRanges}");
                }
            }
            else if (key.StartsWith("Bundle.", StringComparison.OrdinalIgnoreCase))
            {
                faults.Add($"ReverseProxy:Clusters:{cluster.ClusterId}:Metadata:{key}: unknown key; known: {RangesKey}");
            }
        }

        return ranges;
    }
}
