using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Testing;

namespace Reliability;

/// <summary>Everything at once for minutes: storage that breaks, clients that are slow, disconnect and return. It counts what must not happen
/// and measures whether anything grows.</summary>
internal sealed class Soak : IAsyncDisposable
{
    private const int Workers = 12;
    private const int Objects = 40;
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(5);
    private static readonly string[] Recipes =
        ["format=tar.gz", "format=tar", "format=tar.zst", "format=zip", "format=zip&compression=store", "format=tar.gz&compression=store", "format=tar.gz&compression=small", "format=zip&receipt=true"];

    private static readonly Protocol[] Ways = Enum.GetValues<Protocol>();

    private readonly ScriptedUpstream _upstream = new();
    private readonly GatewayProcess _gateway;
    private readonly byte[][] _bodies;
    private long _whole;
    private long _cut;
    private long _left;
    private long _resumed;
    private long _wrong;

    private Soak(GatewayProcess gateway, ScriptedUpstream upstream, byte[][] bodies) => (_gateway, _upstream, _bodies) = (gateway, upstream, bodies);

    public static async Task<Soak> StartAsync()
    {
        var upstream = new ScriptedUpstream();
        var bodies = Enumerable.Range(0, Objects).Select(i => upstream.Put(
            string.Create(CultureInfo.InvariantCulture, $"/{i}"), i % 10 == 0 ? 5_000_000 : (i * 7919) % 200_000, seed: i, compressible: i % 2 == 0)).ToArray();
        return new Soak(await GatewayProcess.StartAsync(GatewayUnderTest.Configuration(("s", [upstream.Address]))), upstream, bodies);
    }

    /// <returns>Whether nothing forbidden happened.</returns>
    public async Task<bool> RunAsync(TimeSpan time, int seed)
    {
        using var stop = new CancellationTokenSource(time);
        var samples = new List<(double Seconds, double Megabytes, int Handles)>();
        var watching = WatchAsync(samples, stop.Token);
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => WorkAsync(new Random(seed + worker), stop.Token)));
        await watching;

        // Idle again: all connections of clients and storage are closed.
        await Eventually.StandsStillAsync(Handles, TimeSpan.FromSeconds(3));
        var errors = _gateway.Output.Where(line => line.Contains("Unobserved", StringComparison.Ordinal) || line.Contains("Gateway/Fault", StringComparison.Ordinal) || line.Contains("\"Origin\":\"Gateway\"", StringComparison.Ordinal)).ToArray();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{_whole} whole, {_resumed} of them resumed, {_cut} cut, {_left} left by the client; {_upstream.FaultsDelivered} faults; wrong bytes {_wrong}; faults of the gateway's own and unobserved exceptions {errors.Length}"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"resident memory: first {samples[0].Megabytes:0} MB, peak {samples.Max(sample => sample.Megabytes):0}, last {samples[^1].Megabytes:0}; slope over each half {Slope(Half(0)):0.00}, {Slope(Half(1)):0.00} MB a minute; handles first {samples[0].Handles}, peak {samples.Max(sample => sample.Handles)}, after {Handles()}"));
        foreach (var error in errors.Take(5))
        {
            Console.WriteLine(error);
        }

        return _wrong == 0 && errors.Length == 0;

        (double Seconds, double Megabytes, int Handles)[] Half(int number) => [.. samples.Skip(number * samples.Count / 2).Take(samples.Count / 2)];
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    /// <summary>Slope of a line through the points, by least squares.</summary>
    private static double Slope((double Seconds, double Megabytes, int Handles)[] samples)
    {
        var (x, y) = (samples.Average(sample => sample.Seconds / 60), samples.Average(sample => sample.Megabytes));
        return samples.Sum(sample => ((sample.Seconds / 60) - x) * (sample.Megabytes - y)) / samples.Sum(sample => Math.Pow((sample.Seconds / 60) - x, 2));
    }

    private async Task WatchAsync(List<(double Seconds, double Megabytes, int Handles)> samples, CancellationToken stop)
    {
        var started = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(Step);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                _gateway.Process.Refresh();
                samples.Add((TimeProvider.System.GetElapsedTime(started).TotalSeconds, _gateway.Process.WorkingSet64 / 1e6, (int)Handles()));
            }
        }
        catch (OperationCanceledException)
        {
            // The time is up.
        }
    }

    private long Handles() => Directory.EnumerateFileSystemEntries($"/proc/{_gateway.Process.Id}/fd").LongCount();

    private async Task WorkAsync(Random random, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var chosen = Enumerable.Range(0, Objects).OrderBy(_ => random.Next()).Take(random.Next(1, 8)).ToArray();
            foreach (var i in chosen.Where(_ => random.Next(8) == 0))
            {
                _upstream.Fail(string.Create(CultureInfo.InvariantCulture, $"/{i}"), random.Next(4) switch
                {
                    0 => Fault.Answer(503),
                    1 => Fault.Close(random.Next(_bodies[i].Length + 1)),
                    2 => Fault.Reset(random.Next(_bodies[i].Length + 1)),
                    _ => new Fault { After = 0, Ending = Ending.Reset, Times = 8 }, // more than there are attempts
                });
            }

            var url = $"/bundle?ids={string.Join(',', chosen.Select(i => $"s/{i}"))}&missing={(random.Next(2) == 0 ? "fail" : "abort")}&{Recipes[random.Next(Recipes.Length)]}";
            await OneAsync(Ways[random.Next(Ways.Length)], url, chosen, random);
        }
    }

    private async Task OneAsync(Protocol way, string url, int[] chosen, Random random)
    {
        switch (random.Next(5))
        {
            case 0: // disconnects in the middle
                using (var request = new HttpRequestMessage(HttpMethod.Get, url) { Version = way.Version() })
                {
                    try
                    {
                        using var response = await _gateway.ClientOf(way).SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                        await using var body = await response.Content.ReadAsStreamAsync();
                        await body.ReadAtLeastAsync(new byte[random.Next(1, 300_000)], 1, throwOnEndOfStream: false);
                    }
                    catch (Exception e) when (e is HttpRequestException or IOException)
                    {
                        // It was truncated before.
                    }

                    Interlocked.Increment(ref _left);
                }

                break;
            case 1: // disconnects, and returns for the remainder
                await ComeBackAsync(_gateway.ClientOf(way), url, chosen, random);
                break;
            case 2: // reads little at a time
                await SlowlyAsync(way, url, chosen);
                break;
            default:
                Judge(await Download.GetAsync(_gateway.ClientOf(way), url), chosen);
                break;
        }
    }

    private async Task SlowlyAsync(Protocol way, string url, int[] chosen)
    {
        try
        {
            await using var slow = await PausingClient.OpenAsync(way, _gateway.AddressOf(way), url);
            if (slow.Response.StatusCode == HttpStatusCode.OK)
            {
                // The pause is the point: this client is slow, whatever the machine is.
                Judge(await slow.TakeRestAsync(async _ => await Pace.WaitAsync(TimeSpan.FromMilliseconds(1)), step: 16 * 1024), chosen);
            }
        }
        catch (HttpRequestException)
        {
            // A cut at the very beginning can overtake the response headers.
            Interlocked.Increment(ref _cut);
        }
    }

    private async Task ComeBackAsync(HttpClient client, string url, int[] chosen, Random random)
    {
        var first = await Download.GetAsync(client, url);
        if (first.IsCut || first.Status != HttpStatusCode.OK || first.Response.Headers.ETag is not { } etag || first.Bytes.Length < 2)
        {
            Judge(first, chosen);
            return;
        }

        var had = random.Next(1, first.Bytes.Length);
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Range = new RangeHeaderValue(had, null);
        request.Headers.IfRange = new RangeConditionHeaderValue(etag);
        var rest = await Download.SendAsync(client, request);
        if (!rest.IsCut && rest.Status == HttpStatusCode.PartialContent)
        {
            Interlocked.Increment(ref _resumed);
            Judge(rest with { Bytes = [.. first.Bytes[..had], .. rest.Bytes] }, chosen);
        }
        else
        {
            Judge(rest, chosen);
        }
    }

    private void Judge(Download download, int[] chosen)
    {
        if (download.IsCut || (int)download.Status >= 400)
        {
            Interlocked.Increment(ref _cut);
            return;
        }

        try
        {
            var entries = Download.ReadEntries(download.Bytes);
            if (chosen.All(i => entries[$"s/{i}"].AsSpan().SequenceEqual(_bodies[i])))
            {
                Interlocked.Increment(ref _whole);
                return;
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Console.WriteLine(e.Message);
        }

        Interlocked.Increment(ref _wrong);
    }
}
