using System.CommandLine;
using Gateway.Telemetry;

namespace Gateway.Commands;

/// <summary>The command tree. Without a command, the gateway serves.</summary>
internal static class CommandLine
{
    /// <summary>Parses the arguments and runs the command.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var arguments = Create().Parse(args);
        foreach (var error in arguments.Errors)
        {
            Console.Error.WriteLine(error.Message);
        }

        // The host handles signals. The library would end the process two seconds after SIGTERM, in the middle of a drain.
        return arguments.Errors.Count > 0 ? ExitCodes.BadArguments : await arguments.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }

    private static RootCommand Create()
    {
        var config = new Option<string?>("--config") { Description = "Configuration file, read in place of appsettings.json.", HelpName = "FILE", Recursive = true };
        var urls = new Option<string?>("--urls") { Description = "Where to listen, separated by ';'. Default http://localhost:8080.", HelpName = "URLS" };
        var url = new Option<string?>("--url") { Description = "Base URL of the gateway. Default: that of the management listener, or the first one in the configuration.", HelpName = "BASE" };
        var root = new RootCommand("Gateway: a reverse proxy that bundles objects into archives on the fly.") { config, urls };
        var serve = new Command("serve", "Serves until it is stopped. This is the default.") { urls };
        var check = new Command("check", "Reports every error that a start would find, one per line. Exit code 1 if there is one.");
        var health = new Command("health", "Requests /health/live. Exit code 0 if the gateway is alive, otherwise 1.") { url };
        var target = new Argument<string>("URL") { Description = "A URL, or its path with its query, percent-encoded as it will be sent." };
        var lifetime = new Option<TimeSpan>("--lifetime") { Description = "How long it is valid. Default 01:00:00.", HelpName = "TIME", DefaultValueFactory = _ => TimeSpan.FromHours(1) };
        var sign = new Command("sign", "Prints a signed URL.") { target, lifetime };
        var version = new Command("version", "Prints the version.");
        foreach (var command in new[] { root, serve })
        {
            command.SetAction((arguments, _) => ServeCommand.RunAsync(arguments.GetValue(config), arguments.GetValue(urls)));
        }

        check.SetAction((arguments, _) => CheckCommand.RunAsync(arguments.GetValue(config)));
        health.SetAction((arguments, stop) => HealthCommand.RunAsync(arguments.GetValue(config), arguments.GetValue(url), stop));
        sign.SetAction(arguments => SignCommand.Run(arguments.GetValue(config), arguments.GetValue(target)!, arguments.GetValue(lifetime)));
        version.SetAction(_ => Console.Out.WriteLine(ProductVersion.Text));
        foreach (var command in new[] { serve, check, health, sign, version })
        {
            root.Subcommands.Add(command);
        }

        return root;
    }
}
