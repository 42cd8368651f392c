using System.Net;
using Gateway.Configuration;
using Gateway.Telemetry;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace Gateway.Server;

/// <summary>
/// Addresses and networks of load balancers, like <c>10.0.0.7</c> or <c>10.1.0.0/16</c>, whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c>
/// are believed. If one is missing, all of its clients count as one, and the log reports it once.
/// </summary>
/// <remarks>Section <c>Proxies</c>. By default these headers of any client are ignored.</remarks>
internal static partial class KnownProxies
{
    /// <summary>The section's name.</summary>
    public const string Section = "Proxies";

    /// <exception cref="InvalidOperationException">An entry is neither an address nor a network.</exception>
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

            // Proxies may be chained; the first unknown address ends the chain.
            options.ForwardLimit = null;
        });
    }

    /// <summary>Reads the headers of known proxies, and reports an unknown one once.</summary>
    public static void UseKnownProxies(this WebApplication app)
    {
        var networks = app.Services.GetRequiredService<IOptions<ForwardedHeadersOptions>>().Value.KnownIPNetworks;
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(KnownProxies).FullName!);
        var isReported = false;
        app.Use((context, next) =>
        {
            if (context.Request.Headers.ContainsKey(ForwardedHeadersDefaults.XForwardedForHeaderName)
                && context.Connection.RemoteIpAddress is { } address
                && !networks.Any(network => network.Contains(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)))
            {
                context.Features.Set(UnknownProxy.Instance);
                if (!Interlocked.Exchange(ref isReported, true))
                {
                    LogUnknownProxy(logger, address);
                }
            }

            return next(context);
        });
        app.UseForwardedHeaders();
    }

    /// <summary>Whether a request came through an unknown proxy, so that its address is not the client's.</summary>
    public static bool IsBehindUnknown(HttpContext context) => context.Features.Get<UnknownProxy>() is not null;

    [LoggerMessage(EventId = LogEvents.UnknownProxy, EventName = nameof(LogEvents.UnknownProxy), Level = LogLevel.Warning, Message = "A request from {Address} has X-Forwarded-For, but the address is not in Proxies. If it is your proxy, add it there: until then all of its clients count as one.")]
    private static partial void LogUnknownProxy(ILogger logger, IPAddress address);

    private sealed class UnknownProxy
    {
        public static readonly UnknownProxy Instance = new();
    }

    private static System.Net.IPNetwork Parse(string entry, int index) =>
        System.Net.IPNetwork.TryParse(entry, out var network) ? network
        : IPAddress.TryParse(entry, out var address) ? new System.Net.IPNetwork(address, 8 * address.GetAddressBytes().Length)
        : throw new InvalidOperationException($"{Section}:{index}: '{entry}' is neither an address nor a network");
}
