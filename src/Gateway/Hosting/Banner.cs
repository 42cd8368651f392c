using Gateway.Archiving;
using Gateway.Storage.Sources;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary>What the log contains once the gateway serves: its sources, and a working sample command.</summary>
internal static partial class Banner
{
    private const int Examples = 3;

    // A folder may contain millions.
    private const int LookedAt = 1000;

    public static void Print(WebApplication app)
    {
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Gateway");
        var sources = app.Services.GetRequiredService<SourceIndex>().All;
        var compression = app.Services.GetRequiredService<IOptions<BundleOptions>>().Value.Compression;
        LogEncoder(logger, new ArchiveRecipe(Compression: compression.Default, FastEncoder: compression.Encoder).Fingerprint);
        LogSources(logger, string.Join(", ", sources.Select(source => source.Name).Order(StringComparer.Ordinal)));
        var address = app.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();
        if (address is not null && sources.Select(ExampleIds).FirstOrDefault(ids => ids.Length > 0) is { } ids)
        {
            var local = address.Replace("[::]", "localhost", StringComparison.Ordinal).Replace("0.0.0.0", "localhost", StringComparison.Ordinal);
            LogTry(logger, $"curl -OJ '{local}/bundle?ids={ids}'");
        }
    }

    /// <summary>The first files of a source that is a folder; none for any other.</summary>
    private static string ExampleIds(Source source)
    {
        if (source.Route.Cluster?.Destinations.Values.FirstOrDefault()?.Model.Config.Address is not { } address
            || !Uri.TryCreate(address, UriKind.Absolute, out var folder)
            || !folder.IsFile)
        {
            return "";
        }

        var files = Directory.EnumerateFiles(folder.LocalPath, "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3 })
            .Select(file => Path.GetRelativePath(folder.LocalPath, file).Replace(Path.DirectorySeparatorChar, '/'))
            .Take(LookedAt)
            .Where(key => key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/'))
            .Order(StringComparer.Ordinal)
            .Take(Examples);
        return string.Join(',', files.Select(key => $"{source.Name}/{key}"));
    }

    [LoggerMessage(LogLevel.Information, "Sources: {Sources}")]
    private static partial void LogSources(ILogger logger, string sources);

    [LoggerMessage(LogLevel.Information, "Archives: {Recipe}")]
    private static partial void LogEncoder(ILogger logger, string recipe);

    [LoggerMessage(LogLevel.Information, "Try: {Command}")]
    private static partial void LogTry(ILogger logger, string command);
}
