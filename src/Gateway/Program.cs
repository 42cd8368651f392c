using System.CommandLine;
using System.Net.Sockets;
using Gateway;
using Gateway.Configuration;

const int Success = 0;
const int InvalidConfiguration = 1;
const int BadArguments = 2;

var config = new Option<string?>("--config") { Description = "Configuration file, read in place of appsettings.json.", HelpName = "FILE" };
var urls = new Option<string?>("--urls") { Description = "Where to listen, separated by ';'. Default http://localhost:8080.", HelpName = "URLS" };
var command = new RootCommand("Gateway: a reverse proxy that bundles objects into archives on the fly.") { config, urls };

var arguments = command.Parse(args);
if (arguments.Errors.Count > 0)
{
    foreach (var error in arguments.Errors)
    {
        Console.Error.WriteLine(error.Message);
    }

    return BadArguments;
}

if (arguments.Action is not null)
{
    return arguments.Invoke();
}

try
{
    await using var app = GatewayHost.Build(arguments.GetValue(config), arguments.GetValue(urls));
    await app.RunAsync();
    return Success;
}
catch (InvalidConfigurationException e)
{
    foreach (var fault in e.Faults)
    {
        Console.Error.WriteLine(fault);
    }

    return InvalidConfiguration;
}
catch (Exception e) when (e is IOException or FormatException or SocketException or InvalidOperationException)
{
    // Only the server's own start throws through here: an address that is none, cannot be bound, or is taken.
    Console.Error.WriteLine(e.Message);
    return InvalidConfiguration;
}
