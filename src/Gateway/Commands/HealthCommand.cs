using System.Diagnostics.CodeAnalysis;
using Gateway.Hosting;
using Gateway.Storage;

namespace Gateway.Commands;

/// <summary>Asks a gateway whether it is alive, for a container's health check. Draining and a full queue do not count: such a gateway must not be killed.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <param name="configurationFile">Where the address is looked up; null: <c>appsettings.json</c>.</param>
    /// <param name="url">The gateway's base URL; null: the first address in the configuration, or that of the management listener.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string? configurationFile, string? url, CancellationToken cancellationToken)
    {
        try
        {
            if (!Uri.TryCreate(url ?? ListenAddress.Find(configurationFile), UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            {
                Console.Error.WriteLine("--url: is not an address with http or https.");
                return ExitCodes.BadArguments;
            }

            using var client = CreateClient(isThisMachine: url is null || address.IsLoopback);
            using var response = await client.GetAsync(new Uri(address, "/health/live"), cancellationToken);
            Console.Out.WriteLine(response.IsSuccessStatusCode ? "The gateway is alive." : $"The gateway responds with {(int)response.StatusCode}.");
            return response.IsSuccessStatusCode ? ExitCodes.Success : ExitCodes.Unhealthy;
        }
        catch (InvalidConfigurationException e)
        {
            return ExitCodes.Report(e);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            Console.Error.WriteLine($"The gateway does not respond: {e.Message}");
            return ExitCodes.Unhealthy;
        }
    }

    [SuppressMessage("Security", "CA5359", Justification = "The request stays on this machine, where the name of the certificate is not that of the address.")]
    private static HttpClient CreateClient(bool isThisMachine)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        if (isThisMachine)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        }

        return new HttpClient(handler) { Timeout = Patience };
    }
}
