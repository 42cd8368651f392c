using Gateway.Hosting;
using Gateway.Storage;

namespace Gateway.Commands;

/// <summary>Checks a configuration as a start would, without listening or sending anything.</summary>
internal static class CheckCommand
{
    /// <param name="configurationFile">Read in place of <c>appsettings.json</c>; null: that one.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string? configurationFile)
    {
        try
        {
            await using var app = GatewayHost.Build(configurationFile);
            Console.Out.WriteLine("The configuration is valid.");
            return ExitCodes.Success;
        }
        catch (InvalidConfigurationException e)
        {
            return ExitCodes.Report(e);
        }
    }
}
