using System.Net;
using Gateway.Configuration;
using Microsoft.AspNetCore.HttpOverrides;

namespace Gateway.Server;

/// <summary>
/// Who may say on whose behalf it asks, and by which scheme: load balancers in front of us. Section <c>Proxies</c>: a list of addresses
/// and networks (<c>10.0.0.7</c>, <c>10.1.0.0/16</c>). Default: none, and then <c>X-Forwarded-For</c> and <c>-Proto</c> of anybody mean
/// nothing.
/// </summary>
internal static class KnownProxies
{
    /// <summary>The section's name.</summary>
    public const string Section = "Proxies";

    /// <exception cref="InvalidOperationException">An entry that is neither an address nor a network.</exception>
    public static void AddKnownProxies(this WebApplicationBuilder builder)
    {
        var section = builder.Configuration.GetSection(Section);
        var known = section.Exists() && (section.Value is not "") ? ConfigurationFaults.RequireList(section).Select(Parse).ToArray() : [];
        builder.Services.Configure<ForwardedHeadersOptions>(options =>
        {
            options.ForwardedHeaders = known.Length == 0 ? ForwardedHeaders.None : ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            options.KnownProxies.Clear();
            options.KnownIPNetworks.Clear();
            foreach (var network in known)
            {
                options.KnownIPNetworks.Add(network);
            }

            // Each of them may stand behind another one; the first stranger ends the chain.
            options.ForwardLimit = null;
        });
    }

    private static System.Net.IPNetwork Parse(string entry, int index) =>
        System.Net.IPNetwork.TryParse(entry, out var network) ? network
        : IPAddress.TryParse(entry, out var address) ? new System.Net.IPNetwork(address, 8 * address.GetAddressBytes().Length)
        : throw new InvalidOperationException($"{Section}:{index}: '{entry}' is neither an address nor a network");
}
