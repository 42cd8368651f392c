using Gateway.Archiving;
using Gateway.Storage.Sources;
using Gateway.Telemetry;
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
        var recipe = new ArchiveRecipe(Compression: compression.Default, FastEncoder: compression.Encoder).Fingerprint;
        var names = string.Join(", ", sources.Select(source => source.Name).Order(StringComparer.Ordinal));
        LogRecipe(logger, recipe);
        LogSources(logger, names);
        var address = app.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();
        if (address is not null && sources.Select(ExampleIds).FirstOrDefault(ids => ids.Length > 0) is { } ids)
        {
            var local = address.Replace("[::]", "localhost", StringComparison.Ordinal).Replace("0.0.0.0", "localhost", StringComparison.Ordinal);
            var command = $"curl -OJ '{local}/bundle?ids={ids}'";
            LogTry(logger, command);
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

    [LoggerMessage(EventId = LogEvents.Sources, EventName = nameof(LogEvents.Sources), Level = LogLevel.Information, Message = "Sources: {Sources}")]
    private static partial void LogSources(ILogger logger, string sources);

    [LoggerMessage(EventId = LogEvents.Archives, EventName = nameof(LogEvents.Archives), Level = LogLevel.Information, Message = "Archives: {Recipe}")]
    private static partial void LogRecipe(ILogger logger, string recipe);

    [LoggerMessage(EventId = LogEvents.Try, EventName = nameof(LogEvents.Try), Level = LogLevel.Information, Message = "Try: {Command}")]
    private static partial void LogTry(ILogger logger, string command);
}
