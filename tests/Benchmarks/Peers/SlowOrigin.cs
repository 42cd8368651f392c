using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Benchmarks.Peers;

/// <summary>Storage that responds to every request after 20 ms, with any number of concurrent requests.</summary>
internal static class SlowOrigin
{
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(20);

    [SuppressMessage("Security", "CA3003", Justification = "A benchmark's own objects, on loopback.")]
    public static Task RunAsync(string root)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information);
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapMethods("/{**key}", ["GET", "HEAD"], async (string key) =>
        {
            await Testing.Pace.WaitAsync(Latency);
            return Results.File(Path.Combine(root, key), enableRangeProcessing: true, entityTag: new("\"a\""));
        });
        return app.RunAsync();
    }
}
