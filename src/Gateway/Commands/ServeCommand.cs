using System.Net.Sockets;
using Gateway.Hosting;
using Gateway.Storage;

namespace Gateway.Commands;

/// <summary>Runs the server until it is stopped.</summary>
internal static class ServeCommand
{
    /// <param name="configurationFile">Read in place of <c>appsettings.json</c>; null: that one.</param>
    /// <param name="urls">Where to listen; null: as configured.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string? configurationFile, string? urls)
    {
        try
        {
            await using var app = GatewayHost.Build(configurationFile, urls);
            await app.RunAsync();
            return ExitCodes.Success;
        }
        catch (InvalidConfigurationException e)
        {
            return ExitCodes.Report(e);
        }
        catch (Exception e) when (e is IOException or FormatException or SocketException or InvalidOperationException)
        {
            // Only the server's own start throws here: an address that is invalid, cannot be bound, or is in use.
            Console.Error.WriteLine(e.Message);
            return ExitCodes.InvalidConfiguration;
        }
    }
}
