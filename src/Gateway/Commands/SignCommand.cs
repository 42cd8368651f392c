using Gateway.Access;
using Gateway.Hosting;
using Gateway.Storage;

namespace Gateway.Commands;

/// <summary>Signs a URL with the first key of the configuration, as docs/signing.md describes.</summary>
internal static class SignCommand
{
    private const string SchemeEnd = "://";

    /// <param name="configurationFile">Where the key is; null: <c>appsettings.json</c>.</param>
    /// <param name="url">A URL, or its path with its query, percent-encoded as it will be sent.</param>
    /// <param name="lifetime">How long it is valid.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string? configurationFile, string url, TimeSpan lifetime)
    {
        try
        {
            var key = SignedUrlOptions.FindFirstKey(GatewayHost.ReadConfiguration(configurationFile));
            if (lifetime <= TimeSpan.Zero || FindTarget(url) is not { } start || url.Any(c => c is <= ' ' or > '~' or '#'))
            {
                Console.Error.WriteLine(lifetime <= TimeSpan.Zero ? "--lifetime: must be positive." : "URL: must have a path, be percent-encoded, and have no fragment.");
                return ExitCodes.BadArguments;
            }

            Console.Out.WriteLine(url[..start] + SignedUrlHandler.Sign(key, url[start..], TimeProvider.System.GetUtcNow() + lifetime));
            return ExitCodes.Success;
        }
        catch (InvalidConfigurationException e)
        {
            return ExitCodes.Report(e);
        }
    }

    /// <summary>Where the path begins.</summary>
    private static int? FindTarget(string url)
    {
        if (url.StartsWith('/'))
        {
            return 0;
        }

        var host = url.IndexOf(SchemeEnd, StringComparison.Ordinal);
        return host > 0 && url.IndexOf('/', host + SchemeEnd.Length) is > 0 and var path ? path : null;
    }
}
