using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Testing;

namespace Reliability;

/// <summary>Ten times as many clients as may run and wait: excess clients are rejected at once, and admitted ones lose nothing.</summary>
internal static class Overload
{
    private const int Active = 8;
    private const int Queued = 8;
    private const int Places = Active + Queued;
    private const int Refused = 9 * Places;
    private const int Size = 8 << 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Warming = TimeSpan.FromSeconds(3);

    // Slow enough that no bundle ends while other clients send requests, on a slow machine too.
    private static readonly TimeSpan SetUp = TimeSpan.FromSeconds(30);

    /// <summary>Runs it for a while.</summary>
    /// <param name="time">How long rejected clients continue to send requests.</param>
    /// <param name="status">The expected status: 503, or 429 with a limit for each client.</param>
    public static async Task<OverloadResult> RunAsync(TimeSpan time, HttpStatusCode status)
    {
        await using var upstream = new ScriptedUpstream();
        var content = new ObjectContent(Size, 1, compressible: false);
        upstream.Put("/a", content);
        await using var gateway = await GatewayProcess.StartAsync(Configure(upstream, status));
        var hash = content.Hash();

        // Admitted clients read their bundles during that whole time.
        var (result, asked) = (new OverloadResult(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var places = status == HttpStatusCode.ServiceUnavailable ? Places : Active;
        var step = 2 * (time + Warming + SetUp) / (Size / (64 * 1024));
        var admitted = Enumerable.Range(0, places).Select(_ => TakeAsync(gateway, step, asked.Task, hash, result)).ToArray();
        await Eventually.TrueAsync(() => result.Started == Active, "all permits are in use");
        await Eventually.StandsStillAsync(() => result.Started, TimeSpan.FromMilliseconds(300));

        // The first requests, while both sides are still being compiled, do not count.
        var begin = TimeProvider.System.GetTimestamp() + (long)(Warming.TotalSeconds * TimeProvider.System.TimestampFrequency);
        var stop = begin + (long)(time.TotalSeconds * TimeProvider.System.TimestampFrequency);
        await Task.WhenAll(Enumerable.Range(0, Refused).Select(i => RequestHeadAsync(gateway, i, begin, stop, status, result)));
        asked.SetResult();
        await Task.WhenAll(admitted);
        foreach (var line in gateway.Output.Where(line => line.Contains("\"Reason\":\"LimitReached\"", StringComparison.Ordinal)))
        {
            using var json = JsonDocument.Parse(line);
            result.Inside.Add(TimeSpan.FromSeconds(json.RootElement.GetProperty("State").GetProperty("Seconds").GetDouble()));
        }

        return result;
    }

    private static JsonObject Configure(ScriptedUpstream upstream, HttpStatusCode status)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        if (status == HttpStatusCode.ServiceUnavailable)
        {
            GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxActive", Active);
            GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxQueued", Queued);
            GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxPerClient", 0);
        }
        else
        {
            GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxPerClient", Active);
        }

        return configuration;
    }

    private static async Task TakeAsync(GatewayProcess gateway, TimeSpan step, Task asked, string hash, OverloadResult result)
    {
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a");
        Interlocked.Increment(ref result.Started);

        // The pause is the point: this client is slow until no other client sends requests.
        var download = await client.TakeRestAsync(async _ => await Task.WhenAny(asked, Pace.WaitAsync(asked.IsCompleted ? TimeSpan.Zero : step)));
        if (download is { IsCut: false, Status: HttpStatusCode.OK } && Download.Hash(Download.ReadEntries(download.Bytes)["s/a"]) == hash)
        {
            Interlocked.Increment(ref result.Whole);
        }
    }

    private static async Task RequestHeadAsync(GatewayProcess gateway, int number, long begin, long stop, HttpStatusCode status, OverloadResult result)
    {
        var client = gateway.Client;
        await Pace.WaitAsync(Pause * ((double)number / Refused));
        using var timer = new PeriodicTimer(Pause);
        while (TimeProvider.System.GetTimestamp() < stop)
        {
            var began = TimeProvider.System.GetTimestamp();
            using var answer = await client.GetAsync("/bundle?ids=s/a");
            if (began > begin)
            {
                result.Refusals.Add(TimeProvider.System.GetElapsedTime(began));
            }

            if (answer.StatusCode != status || answer.Headers.RetryAfter is null)
            {
                Interlocked.Increment(ref result.Wrong);
            }

            await timer.WaitForNextTickAsync();
        }
    }
}

/// <summary>The outcomes of all clients.</summary>
internal sealed class OverloadResult
{
    public int Started;
    public int Whole;
    public int Wrong;

    /// <summary>How soon rejected clients got their response.</summary>
    public Latencies Refusals { get; } = new();

    /// <summary>The part of it inside the gateway, from a request's headers to its response.</summary>
    public Latencies Inside { get; } = new();

    public bool Holds => Whole > 0 && Whole == Started && Wrong == 0 && Refusals.Percentile(0.99) <= 10;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Started} admitted, {Whole} whole; rejections {Refusals}; inside the gateway {Inside}; {Wrong} other responses");
}
