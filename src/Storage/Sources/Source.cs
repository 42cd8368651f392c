using Gateway.Storage.Paths;
using Yarp.ReverseProxy.Model;

namespace Gateway.Storage.Sources;

/// <summary>
/// A YARP route whose metadata declares it as a source of objects. It holds the endpoint as it was when the
/// configuration was loaded, so a bundle that runs across a reload finishes with the configuration it began with.
/// </summary>
/// <param name="config">The validated metadata.</param>
/// <param name="endpoint">The route's endpoint.</param>
/// <param name="route">The route and its cluster.</param>
/// <param name="matcher">Resolves paths to routes; null if no other route can match a path of this source.</param>
public sealed class Source(SourceConfig config, RouteEndpoint endpoint, RouteModel route, RouteMatcher? matcher)
{
    private const long FirstGuess = 32 * 1024;

    private long _lastSize = FirstGuess;

    /// <summary>The first segment of its ids.</summary>
    public string Name => config.Name;

    /// <summary>The route and its cluster.</summary>
    public RouteModel Route { get; } = route;

    /// <summary>The route's endpoint.</summary>
    public Endpoint Endpoint => endpoint;

    /// <summary>Parts of a large object that are read in parallel; 1 if the cluster does not specify it.</summary>
    public int ParallelRanges => config.ParallelRanges;

    /// <summary>Names of the client's headers that storage gets; see <see cref="SourceHeaders"/>.</summary>
    public IReadOnlyList<string> Headers => config.Headers;

    /// <inheritdoc cref="SourceConfig.ForbiddenIsMissing"/>
    public bool ForbiddenIsMissing => config.ForbiddenIsMissing;

    /// <inheritdoc cref="SourceConfig.CanList"/>
    public bool CanList => config.CanList;

    /// <inheritdoc cref="SourceConfig.Decodes"/>
    public bool Decodes => config.Decodes;

    /// <summary>
    /// Size of the most recent object, as an estimate of the next one: whether to request it whole or its headers first. A wrong
    /// guess costs a request.
    /// </summary>
    public long LastSize
    {
        get => Volatile.Read(ref _lastSize);
        set => Volatile.Write(ref _lastSize, value);
    }

    /// <summary>Whether storage was seen to report different things for HEAD and GET. Its objects are then planned with GET, which costs a
    /// connection each.</summary>
    public bool IsHeadWrong { get; set; }

    /// <summary>Whether HEAD was compared with GET and was correct.</summary>
    public bool IsHeadRight { get; set; }

    /// <summary>The destinations that are currently available.</summary>
    public IReadOnlyList<DestinationState> AvailableDestinations => Route.Cluster?.DestinationsState.AvailableDestinations ?? [];

    /// <summary>Whether a single GET by the client would read the object through this source's route, however storage reads its path
    /// (<see cref="LaxPath"/>).</summary>
    public async ValueTask<bool> ServesAsync(string key, ClientContext client) =>
        matcher is null || await matcher.ReachesOnlyAsync(Route.Config.RouteId, HttpMethods.Get, GetPath(key), client);

    /// <summary>Sets up a request as if routing had matched it to this source with this key.</summary>
    public void Address(HttpContext request, string key)
    {
        request.Request.Path = GetPath(key);
        request.Request.RouteValues[config.KeyParameter] = key;
        request.SetEndpoint(endpoint);
    }

    private PathString GetPath(string key) => new(config.Path + key);
}
