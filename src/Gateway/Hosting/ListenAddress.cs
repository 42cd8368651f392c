using System.Net;
using Gateway.Server;
using Gateway.Storage;

namespace Gateway.Hosting;

/// <summary>Finds the address of a gateway from its configuration, as a client on the same machine uses it.</summary>
internal static class ListenAddress
{
    /// <summary>The first address of the management listener, or else of the gateway.</summary>
    /// <exception cref="InvalidConfigurationException">There is no such file, or it has no such address.</exception>
    public static string Find(string? configurationFile)
    {
        var configuration = GatewayHost.ReadConfiguration(configurationFile);
        var url = Management.GetUrls(configuration).FirstOrDefault()
            ?? configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"]).FirstOrDefault(url => url is not null)
            ?? configuration[WebHostDefaults.ServerUrlsKey]?.Split(';')[0]
            ?? FromPort("http", configuration[WebHostDefaults.HttpPortsKey])
            ?? FromPort("https", configuration[WebHostDefaults.HttpsPortsKey])
            ?? GatewayHost.DefaultUrl;
        try
        {
            // The server listens on every address for a name or a wildcard.
            var address = BindingAddress.Parse(url);
            var isAddress = IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && !ip.Equals(IPAddress.Any) && !ip.Equals(IPAddress.IPv6Any);
            return address.IsUnixPipe || address.IsNamedPipe
                ? throw new InvalidConfigurationException([$"{url}: has no port; use --url"])
                : $"{address.Scheme}://{(isAddress ? address.Host : "localhost")}:{address.Port}";
        }
        catch (FormatException e)
        {
            throw new InvalidConfigurationException([$"{url}: is not an address to listen on"], e);
        }
    }

    private static string? FromPort(string scheme, string? ports) => ports?.Split(';')[0] is { Length: > 0 } port ? $"{scheme}://localhost:{port}" : null;
}
