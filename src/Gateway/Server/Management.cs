using System.Collections.Frozen;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Gateway.Server;

/// <summary>
/// Addresses of a second listener on its own ports, separated by semicolons. <c>/health</c>, <c>/metrics</c> (for Prometheus) and <c>/status</c> are then served only there. It needs the first listener in
/// <c>urls</c>, not in <c>Kestrel:Endpoints</c> or ports.
/// </summary>
/// <remarks>The connection of a request determines its listener, never its Host header.</remarks>
internal sealed class Management(IServer server, IReadOnlyList<string> urls)
{
    /// <summary>The key of the addresses.</summary>
    public const string Key = "Management:Urls";

    /// <summary>Metadata of an endpoint that only the second listener serves.</summary>
    public static readonly object Endpoint = new ManagementEndpoint();

    private static readonly PathString Health = "/health";

    private FrozenSet<int>? _ports;

    /// <summary>The addresses.</summary>
    public static string[] GetUrls(IConfiguration configuration) => Split(configuration[Key]);

    /// <summary>All addresses the server must listen on, those of the second listener last.</summary>
    /// <exception cref="InvalidOperationException">The two listeners could not be distinguished.</exception>
    public static string Join(IConfiguration configuration)
    {
        var served = configuration[WebHostDefaults.ServerUrlsKey];
        if (served is null || configuration.GetSection("Kestrel:Endpoints").Exists())
        {
            throw new InvalidOperationException($"{Key}: requires that the other addresses are set with urls, not with Kestrel:Endpoints or ports");
        }

        var (outside, inside) = (Split(served).Select(BindingAddress.Parse).ToArray(), GetUrls(configuration).Select(BindingAddress.Parse).ToArray());
        return outside.Concat(inside).Any(address => address.IsUnixPipe || address.IsNamedPipe)
            || inside.Any(address => address.Port != 0 && outside.Any(other => other.Port == address.Port))
            ? throw new InvalidOperationException($"{Key}: requires separate ports, which distinguish the two listeners")
            : $"{served};{configuration[Key]}";
    }

    private static string[] Split(string? urls) => urls?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    /// <summary>Restricts health, metrics and status to the second listener, and that listener to them.</summary>
    public Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var isManagement = context.Request.Path.StartsWithSegments(Health) || context.GetEndpoint()?.Metadata.GetMetadata<ManagementEndpoint>() is not null;
        if (isManagement == (_ports ??= Ports()).Contains(context.Connection.LocalPort))
        {
            return next(context);
        }

        // Reported as an unknown path.
        context.SetEndpoint(null);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    /// <summary>The ports of the last addresses: the server lists its addresses in their order.</summary>
    private FrozenSet<int> Ports() =>
        server.Features.Get<IServerAddressesFeature>()!.Addresses.TakeLast(urls.Count).Select(address => BindingAddress.Parse(address).Port).ToFrozenSet();

    private sealed class ManagementEndpoint;
}
