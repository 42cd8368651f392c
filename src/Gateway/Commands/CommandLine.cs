using System.CommandLine;

namespace Gateway.Commands;

/// <summary>The command tree. Without a command, the gateway serves.</summary>
internal static class CommandLine
{
    /// <summary>Parses the arguments and runs the command.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var config = new Option<string?>("--config") { Description = "Configuration file, read in place of appsettings.json.", HelpName = "FILE" };
        var urls = new Option<string?>("--urls") { Description = "Where to listen, separated by ';'. Default http://localhost:8080.", HelpName = "URLS" };
        var command = new RootCommand("Gateway: a reverse proxy that bundles objects into archives on the fly.") { config, urls };
        var arguments = command.Parse(args);
        foreach (var error in arguments.Errors)
        {
            Console.Error.WriteLine(error.Message);
        }

        return arguments.Errors.Count > 0 ? ExitCodes.BadArguments
            : arguments.Action is not null ? await arguments.InvokeAsync()
            : await ServeCommand.RunAsync(arguments.GetValue(config), arguments.GetValue(urls));
    }
}
