using Gateway.Server;
using Gateway.Storage;

namespace Gateway.Hosting;

/// <summary>Finds the address of a gateway from its configuration, as a client on the same machine uses it.</summary>
internal static class ListenAddress
{
    /// <summary>The first address of the management listener, or else of the gateway.</summary>
    /// <exception cref="InvalidConfigurationException">There is no such file.</exception>
    public static string Find(string? configurationFile)
    {
        var configuration = GatewayHost.ReadConfiguration(configurationFile);
        var url = Management.GetUrls(configuration).FirstOrDefault()
            ?? configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"]).FirstOrDefault(url => url is not null)
            ?? configuration[WebHostDefaults.ServerUrlsKey]?.Split(';')[0]
            ?? FromPort("http", configuration[WebHostDefaults.HttpPortsKey])
            ?? FromPort("https", configuration[WebHostDefaults.HttpsPortsKey])
            ?? GatewayHost.DefaultUrl;
        var address = BindingAddress.Parse(url);
        return $"{address.Scheme}://{(address.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "localhost" : address.Host)}:{address.Port}";
    }

    private static string? FromPort(string scheme, string? ports) => ports?.Split(';')[0] is { Length: > 0 } port ? $"{scheme}://localhost:{port}" : null;
}
