using System.Diagnostics;
using System.Net;
using Gateway.Admission;
using Gateway.Runs;
using Gateway.Server;
using Gateway.Storage.Telemetry;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Cors;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Gateway.Status;

/// <summary>
/// <c>/status</c> of the management listener: what runs, and which destinations are used. An operator can end a bundle there. A web page that the operator's
/// browser shows can do neither: it gets no CORS headers, a form cannot send the header, and a host name that was rebound to this machine is refused.
/// </summary>
internal static class StatusEndpoints
{
    /// <summary>The path.</summary>
    public const string Path = "/status";

    /// <summary>The header that a request must have to end a bundle.</summary>
    public const string Header = "Gateway-Operator";

    private static readonly DateTimeOffset Started = Process.GetCurrentProcess().StartTime;

    // What a person can look at. Requests that wait for admission are listed too, and only connections limit those.
    private const int MaxBundles = 1000;

    public static void MapStatus(this IEndpointRouteBuilder app)
    {
        var status = app.MapGroup(Path).WithMetadata(Management.Endpoint, new DisableCorsAttribute()).ExcludeFromDescription();
        status.MapGet("", Describe).AddEndpointFilter(RequireHostAsync);
        status.MapPost("/bundles/{id}/end", End).AddEndpointFilter(RequireHostAsync);
    }

    private static JsonHttpResult<StatusDocument> Describe(HttpResponse response, [FromServices] RunningBundles bundles, [FromServices] UpstreamStatus upstreams, [FromServices] Drain drain)
    {
        response.Headers.CacheControl = "no-store";
        return TypedResults.Json(new StatusDocument(
            ProductVersion.Text,
            Started.ToUniversalTime(),
            drain.IsDraining,
            [.. bundles.All.Select(entry => StatusDocument.Bundle.From(entry.Key, entry.Value)).OrderByDescending(bundle => bundle.Seconds).Take(MaxBundles)],
            [.. upstreams.Read().Select(StatusDocument.Destination.From)]));
    }

    private static IResult End(string id, HttpRequest request, [FromServices] RunningBundles bundles) =>
        !request.Headers.ContainsKey(Header) ? TypedResults.Problem($"The request needs the header {Header}, with any value.", statusCode: StatusCodes.Status403Forbidden)
        : bundles.TryEnd(id) ? TypedResults.NoContent()
        : TypedResults.Problem("No such bundle is running.", statusCode: StatusCodes.Status404NotFound);

    /// <summary>A page of another host that leads to this machine (DNS rebinding) sends its own name.</summary>
    private static async ValueTask<object?> RequireHostAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var host = context.HttpContext.Request.Host.Host.Trim('[', ']');
        var connection = context.HttpContext.Connection;
        var isOwn = host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && (IPAddress.IsLoopback(address) || address.MapToIPv6().Equals(connection.LocalIpAddress?.MapToIPv6())));
        return isOwn
            ? await next(context)
            : TypedResults.Problem("The Host header must be localhost or the address of this machine.", statusCode: StatusCodes.Status421MisdirectedRequest);
    }
}
