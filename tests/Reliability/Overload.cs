using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Testing;

namespace Reliability;

/// <summary>Ten times as many clients as may run and wait: the others are told so at once, and those that were let in lose nothing.</summary>
internal static class Overload
{
    private const int Active = 8;
    private const int Queued = 8;
    private const int Places = Active + Queued;
    private const int Refused = 9 * Places;
    private const int Size = 8 << 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs it for a while.</summary>
    /// <param name="time">How long clients that are refused go on asking.</param>
    /// <param name="status">What they are told: 503, or 429 where each may have so many.</param>
    public static async Task<OverloadResult> RunAsync(TimeSpan time, HttpStatusCode status)
    {
        await using var upstream = new ScriptedUpstream();
        var content = new ObjectContent(Size, 1, compressible: false);
        upstream.Put("/a", content);
        await using var gateway = await GatewayProcess.StartAsync(Configure(upstream, status));
        var hash = content.Hash();

        // Those that are let in take their bundles over all that time, by turns where they wait.
        var (result, stop) = (new OverloadResult(), Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency));
        var places = status == HttpStatusCode.ServiceUnavailable ? Places : Active;
        var step = time * (1.5 * places / Active) / (Size / (64 * 1024));
        var admitted = Enumerable.Range(0, places).Select(_ => TakeAsync(gateway, step, hash, result)).ToArray();
        await Eventually.TrueAsync(() => result.Started == Active, "all places are taken");
        await Eventually.StandsStillAsync(() => result.Started, TimeSpan.FromMilliseconds(300));

        await Task.WhenAll(Enumerable.Range(0, Refused).Select(i => AskAsync(gateway, i, stop, status, result)));
        await Task.WhenAll(admitted);
        return result;
    }

    private static JsonObject Configure(ScriptedUpstream upstream, HttpStatusCode status)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        if (status == HttpStatusCode.ServiceUnavailable)
        {
            GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxActive", Active);
            GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxQueued", Queued);
        }
        else
        {
            GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxPerClient", Active);
        }

        return configuration;
    }

    private static async Task TakeAsync(GatewayProcess gateway, TimeSpan step, string hash, OverloadResult result)
    {
        await using var client = await PausingClient.OpenAsync(gateway.Address, "/bundle?ids=s/a");
        Interlocked.Increment(ref result.Started);

        // The pause is the point: this client is slow.
        var download = await client.TakeRestAsync(async _ => await Task.Delay(step));
        if (download is { IsCut: false, Status: HttpStatusCode.OK } && Download.Hash(Download.ReadEntries(download.Bytes)["s/a"]) == hash)
        {
            Interlocked.Increment(ref result.Whole);
        }
    }

    private static async Task AskAsync(GatewayProcess gateway, int number, long stop, HttpStatusCode status, OverloadResult result)
    {
        using var client = Protocol.Http1.CreateClient(gateway.Address);
        await client.GetAsync("/health/live");
        await Task.Delay(Pause * ((double)number / Refused));
        using var timer = new PeriodicTimer(Pause);
        while (Stopwatch.GetTimestamp() < stop)
        {
            var began = Stopwatch.GetTimestamp();
            using var answer = await client.GetAsync("/bundle?ids=s/a");
            result.Refusals.Add(Stopwatch.GetElapsedTime(began));
            if (answer.StatusCode != status || answer.Headers.RetryAfter is null)
            {
                Interlocked.Increment(ref result.Wrong);
            }

            await timer.WaitForNextTickAsync();
        }
    }
}

/// <summary>What became of everybody.</summary>
internal sealed class OverloadResult
{
    public int Started;
    public int Whole;
    public int Wrong;

    /// <summary>How soon those were told that had no place.</summary>
    public Latencies Refusals { get; } = new();

    public bool Holds => Whole > 0 && Whole == Started && Wrong == 0 && Refusals.Percentile(0.99) <= 10;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Started} let in, {Whole} whole; refusals {Refusals}; {Wrong} other answers");
}
