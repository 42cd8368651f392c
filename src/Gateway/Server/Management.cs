using System.Collections.Frozen;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Gateway.Server;

/// <summary>
/// Addresses of a second listener on its own ports, separated by semicolons. <c>/health</c> is then served only there. It needs the first listener in
/// <c>urls</c>, not in <c>Kestrel:Endpoints</c> or ports.
/// </summary>
/// <remarks>The connection of a request determines its listener, never its Host header.</remarks>
internal sealed class Management(IServer server, IReadOnlyList<string> urls)
{
    /// <summary>The key of the addresses.</summary>
    public const string Key = "Management:Urls";

    private static readonly PathString Health = "/health";

    private FrozenSet<int>? _ports;

    /// <summary>The addresses.</summary>
    public static string[] UrlsOf(IConfiguration configuration) => Split(configuration[Key]);

    /// <summary>All addresses the server is to listen on, those of the second listener last.</summary>
    /// <exception cref="InvalidOperationException">The two listeners could not be told apart.</exception>
    public static string Join(IConfiguration configuration)
    {
        var served = configuration[WebHostDefaults.ServerUrlsKey];
        if (served is null || configuration.GetSection("Kestrel:Endpoints").Exists())
        {
            throw new InvalidOperationException($"{Key}: goes together with addresses given as urls, not with Kestrel:Endpoints or ports");
        }

        var (outside, inside) = (Split(served).Select(BindingAddress.Parse).ToArray(), UrlsOf(configuration).Select(BindingAddress.Parse).ToArray());
        return outside.Concat(inside).Any(address => address.IsUnixPipe || address.IsNamedPipe)
            || inside.Any(address => address.Port != 0 && outside.Any(other => other.Port == address.Port))
            ? throw new InvalidOperationException($"{Key}: needs ports of its own; by these the two listeners are told apart")
            : $"{served};{configuration[Key]}";
    }

    private static string[] Split(string? urls) => urls?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    /// <summary>Lets health through on the second listener and nowhere else, and nothing else on it.</summary>
    public Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var isHealth = context.Request.Path.StartsWithSegments(Health);
        if (isHealth == (_ports ??= Ports()).Contains(context.Connection.LocalPort))
        {
            return next(context);
        }

        // Counted as nothing that there is here.
        context.SetEndpoint(null);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    /// <summary>The ports of the last addresses: in their order the server tells what it listens on.</summary>
    private FrozenSet<int> Ports() =>
        server.Features.Get<IServerAddressesFeature>()!.Addresses.TakeLast(urls.Count).Select(address => BindingAddress.Parse(address).Port).ToFrozenSet();
}
