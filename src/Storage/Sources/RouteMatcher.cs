using Gateway.Storage.Paths;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Model;

namespace Gateway.Storage.Sources;

/// <summary>
/// Returns the route that ASP.NET Core's routing selects for a single request, so that a bundle cannot bypass a more specific route and its
/// policy. Used only for sources whose paths another route can match; a path takes about a microsecond.
/// </summary>
public sealed class RouteMatcher
{
    private readonly IServiceProvider _services;
    private readonly Lazy<RequestDelegate> _route;

    /// <param name="services">Provides ASP.NET Core's routing.</param>
    /// <param name="endpoints">All endpoints of the server.</param>
    public RouteMatcher(IServiceProvider services, IReadOnlyList<Endpoint> endpoints)
    {
        _services = services;
        _route = new Lazy<RequestDelegate>(() => Build(services, endpoints));
    }

    /// <summary>The id of the YARP route that a request takes; null if there is none.</summary>
    private async ValueTask<string?> RouteOfAsync(string method, PathString path, ClientContext client)
    {
        var request = new DefaultHttpContext { RequestServices = _services };
        request.Features.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Method = method,
            Scheme = client.Scheme,
            Path = path.Value!,
            Headers = client.Headers.Host.Count > 0 ? client.Headers : new HeaderDictionary { [HeaderNames.Host] = client.Host.Value },
        });
        await _route.Value(request);
        return request.GetEndpoint()?.Metadata.GetMetadata<RouteModel>()?.Config.RouteId;
    }

    /// <summary>Whether a request takes this route and no other, however storage reads the path (<see cref="LaxPath"/>).</summary>
    public async ValueTask<bool> ReachesOnlyAsync(string route, string method, PathString path, ClientContext client)
    {
        if (await RouteOfAsync(method, path, client) != route)
        {
            return false;
        }

        foreach (var reading in LaxPath.GetReadings(path.Value!))
        {
            if (await RouteOfAsync(method, reading, client) is { } other && other != route)
            {
                return false;
            }
        }

        return true;
    }

    private static RequestDelegate Build(IServiceProvider services, IReadOnlyList<Endpoint> endpoints)
    {
        var builder = new ApplicationBuilder(services);
        builder.UseRouting();

        // UseRouting takes its endpoints from here.
        builder.Properties.Values.OfType<IEndpointRouteBuilder>().Single().DataSources.Add(new DefaultEndpointDataSource(endpoints));

        // Only the selected endpoint is read; nothing is executed.
        builder.Run(static _ => Task.CompletedTask);
        return builder.Build();
    }
}
