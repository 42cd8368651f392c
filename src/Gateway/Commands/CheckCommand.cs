using System.Security.Cryptography;
using Gateway.Hosting;
using Gateway.Storage;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Gateway.Commands;

/// <summary>Checks a configuration as a start would. It listens on nothing and sends nothing to storage.</summary>
internal static class CheckCommand
{
    /// <param name="configurationFile">Read in place of <c>appsettings.json</c>; null: that one.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string? configurationFile)
    {
        try
        {
            await using var app = GatewayHost.Build(configurationFile, extend: builder => builder.Services.AddSingleton<IActiveHealthCheckMonitor, NoHealthChecks>());

            // Otherwise endpoints and certificates are read only when the server starts.
            app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.ConfigurationLoader?.Load();
            Console.Out.WriteLine("The configuration is valid.");
            return ExitCodes.Success;
        }
        catch (InvalidConfigurationException e)
        {
            return ExitCodes.Report(e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException or FormatException or CryptographicException)
        {
            Console.Error.WriteLine(e.Message.ReplaceLineEndings(" "));
            return ExitCodes.InvalidConfiguration;
        }
    }

    private sealed class NoHealthChecks : IActiveHealthCheckMonitor
    {
        public bool InitialProbeCompleted => true;

        public Task CheckHealthAsync(IEnumerable<ClusterState> clusters) => Task.CompletedTask;
    }
}
