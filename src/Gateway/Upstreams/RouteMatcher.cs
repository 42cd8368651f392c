using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Model;

namespace Gateway.Upstreams;

/// <summary>
/// Asks ASP.NET Core's routing which route a single GET would take, so that a bundle reads no object past a more specific route and its
/// policy.
/// </summary>
/// <remarks>Routing is asked only for sources whose paths another route can match; for one path it takes about a microsecond.</remarks>
internal sealed class RouteMatcher(IServiceProvider services)
{
    private RequestDelegate _route = _ => Task.CompletedTask;

    /// <summary>Routes requests as the server does.</summary>
    /// <param name="endpoints">All endpoints of the server; changes are followed.</param>
    public void Follow(EndpointDataSource endpoints)
    {
        var builder = new ApplicationBuilder(services);
        builder.UseRouting();

        // What routing found is read from the request; nothing is run.
        builder.Use((HttpContext _, RequestDelegate _) => Task.CompletedTask);
        builder.UseEndpoints(routes => routes.DataSources.Add(endpoints));
        _route = builder.Build();
    }

    /// <summary>Whether a single GET by the client would read the object through the source's own route.</summary>
    public async ValueTask<bool> IsServedByAsync(Source source, string key, Caller caller)
    {
        if (!source.HasRivals)
        {
            return true;
        }

        var request = new DefaultHttpContext { RequestServices = services };
        request.Features.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Method = HttpMethods.Get,
            Scheme = caller.Scheme,
            Path = source.PathOf(key).Value!,
            Headers = caller.Headers.Host.Count > 0 ? caller.Headers : new HeaderDictionary { [HeaderNames.Host] = caller.Host.Value },
        });
        await _route(request);

        // By its id: while a reload is being applied, the endpoint itself may be another one.
        return request.GetEndpoint()?.Metadata.GetMetadata<RouteModel>()?.Config.RouteId == source.Route.Config.RouteId;
    }
}
