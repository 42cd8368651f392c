using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Testing;

namespace Reliability;

/// <summary>
/// Storage that fails one request in twenty in one of its known ways (docs/storage.md), with sixteen clients. At least
/// 99.9 % of the bundles must be complete. What is reported about the others must be what storage did.
/// </summary>
internal sealed class Chaos : IAsyncDisposable
{
    private const int Clients = 16;
    private const int Objects = 60;
    private const double Share = 0.05;
    private const double Promised = 0.999;

    private static readonly string[] Recipes =
        ["format=tar.gz", "format=tar", "format=tar.zst", "format=zip", "format=zip&compression=store", "format=tar.gz&receipt=true"];

    private static readonly string[] Missing = ["fail", "skip", "abort"];

    // The reasons under which these faults may be reported.
    private static readonly string[] ExpectedReasons =
    [
        "None", "StorageError", "StorageTimeout", "Throttled", "ConnectionBroken", "ResponseTimeout", "BodyBroken", "BodyStalled", "BodySlow", "CircuitOpen",
        "SizeDiffers", "ObjectChanged", "VersionUnknown", "ChecksumDiffers", "Denied", "UnexpectedStatus",
    ];

    private readonly ConcurrentDictionary<string, int> _delivered;
    private readonly ScriptedUpstream _upstream;
    private readonly GatewayProcess _gateway;
    private readonly byte[][] _bodies;
    private int _whole;
    private int _failed;
    private int _wrong;

    private Chaos(GatewayProcess gateway, ScriptedUpstream upstream, byte[][] bodies, ConcurrentDictionary<string, int> delivered) =>
        (_gateway, _upstream, _bodies, _delivered) = (gateway, upstream, bodies, delivered);

    public static async Task<Chaos> StartAsync(int seed)
    {
        var random = new Random(seed);
        var delivered = new ConcurrentDictionary<string, int>();
        var upstream = new ScriptedUpstream { Chaos = request => Choose(request, random, delivered) };
        var bodies = Enumerable.Range(0, Objects).Select(i => PutOne(upstream, i)).ToArray();
        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Upstream:FirstByteTimeout", "00:00:01");
        GatewayUnderTest.Set(configuration, "Bundle:Upstream:StallTimeout", "00:00:01");
        GatewayUnderTest.Set(configuration, "Bundle:Upstream:MinRate", 10_000);
        GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxPerClient", 2 * Clients);
        return new Chaos(await GatewayProcess.StartAsync(configuration), upstream, bodies, delivered);
    }

    /// <returns>Whether the requirements are met.</returns>
    public async Task<bool> RunAsync(TimeSpan time, int seed)
    {
        using var stop = new CancellationTokenSource(time);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => WorkAsync(new Random(seed + client), stop.Token)));
        var reasons = _gateway.Output.Select(GetReason).OfType<string>().GroupBy(reason => reason).OrderByDescending(group => group.Count()).ToArray();
        var total = _whole + _failed + _wrong;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{total} bundles, {_whole} complete ({100.0 * _whole / total:0.000} %), {_failed} failed, wrong {_wrong}; {_upstream.Requests.Count} requests, {_delivered.Values.Sum()} faults"));
        Console.WriteLine("faults: " + string.Join(", ", _delivered.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} {pair.Value}")));
        Console.WriteLine("reasons: " + string.Join(", ", reasons.Select(group => $"{group.Key} {group.Count()}")));
        foreach (var line in _gateway.Output.Where(line => GetReason(line) is not (null or "None")).Take(10))
        {
            Console.WriteLine(line);
        }

        return _wrong == 0 && _whole >= total * Promised && reasons.All(group => ExpectedReasons.Contains(group.Key));
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    private static byte[] PutOne(ScriptedUpstream upstream, int i)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/{i}");
        var body = upstream.Put(path, i % 10 == 0 ? 3_000_000 : (i * 7919) % 200_000, seed: i, compressible: i % 2 == 0);

        // The targets of redirects within the source. Some objects are stored encoded.
        var headers = i % 7 == 0 ? new[] { ("Content-Encoding", "gzip") } : [];
        upstream.Put(path, body, $"\"v{i}-{body.Length}\"", headers);
        upstream.Put("/moved" + path, body, $"\"v{i}-{body.Length}\"", headers);
        return body;
    }

    /// <summary>The fault for a request; usually none.</summary>
    private static Fault? Choose(ScriptedRequest request, Random random, ConcurrentDictionary<string, int> delivered)
    {
        lock (random)
        {
            if (random.NextDouble() >= Share)
            {
                return null;
            }

            var isHead = request.Method == "HEAD";
            var isMoved = request.Path.StartsWith("/moved/", StringComparison.Ordinal);
            var after = random.Next(100_000);
            var (name, fault) = random.Next(isHead ? 20 : 18) switch
            {
                0 => ("500", Fault.Answer(500)),
                1 => ("502", Fault.Answer(502)),
                2 => ("503", Fault.Answer(503)),
                3 => ("503 with Retry-After", Fault.Answer(503, ("Retry-After", "1"))),
                4 => ("429", Fault.Answer(429)),
                5 => ("504", Fault.Answer(504)),
                6 => ("FIN instead of a response", new Fault { After = -1, Ending = Ending.Close }),
                7 => ("RST instead of a response", new Fault { After = -1, Ending = Ending.Reset }),
                8 => ("no response", new Fault { After = -1, Ending = Ending.Stall }),
                9 when !isMoved => ("redirect", Fault.Answer(302, ("Location", "/moved" + request.Path))),
                10 => ("body ends early", Fault.Close(after)),
                11 => ("body is reset", Fault.Reset(after)),
                12 => ("body stalls", Fault.Stall(after)),
                13 => ("range is ignored", new Fault { IgnoreRange = true }),
                14 => ("part is short", new Fault { MaxPart = 1 + after }),
                15 => ("range is refused", request.Header("Range") is null ? null : Fault.Answer(416)),
                16 => ("body trickles", new Fault { After = after, Trickle = TimeSpan.FromMilliseconds(20) }),
                17 when IsSmall(request.Path) => ("checksum is wrong", new Fault { Headers = new Dictionary<string, string> { ["Content-MD5"] = Convert.ToBase64String(new byte[16]) } }),
                18 => ("HEAD is refused", Fault.Answer(random.Next(2) == 0 ? 403 : 405)),
                19 => ("HEAD reports another length", new Fault { Headers = new Dictionary<string, string> { ["Content-Length"] = "7" } }),
                _ => ("500", Fault.Answer(500)),
            };
            if (fault is null)
            {
                return null;
            }

            delivered.AddOrUpdate(name, 1, static (_, count) => count + 1);
            return fault with { Method = request.Method };
        }
    }

    /// <summary>Whether an object is read into memory before it is sent, so that a wrong checksum can be recovered from.</summary>
    private static bool IsSmall(string path) => int.Parse(path[(path.LastIndexOf('/') + 1)..], CultureInfo.InvariantCulture) % 10 != 0;

    private async Task WorkAsync(Random random, CancellationToken stop)
    {
        var client = _gateway.ClientOf((Protocol)random.Next(4));
        while (!stop.IsCancellationRequested)
        {
            var chosen = Enumerable.Range(0, Objects).OrderBy(_ => random.Next()).Take(random.Next(1, 13)).ToArray();
            var download = await Download.GetAsync(
                client, $"/bundle?ids={string.Join(',', chosen.Select(i => $"s/{i}"))}&missing={Missing[random.Next(Missing.Length)]}&{Recipes[random.Next(Recipes.Length)]}", CancellationToken.None);
            if (download.IsCut || download.Status != HttpStatusCode.OK)
            {
                Interlocked.Increment(ref _failed);
            }
            else if (Download.ReadEntries(download.Bytes) is var entries && chosen.All(i => entries.TryGetValue($"s/{i}", out var entry) && entry.AsSpan().SequenceEqual(_bodies[i])))
            {
                Interlocked.Increment(ref _whole);
            }
            else
            {
                Interlocked.Increment(ref _wrong);
            }
        }
    }

    /// <summary>The reason in a line of the access log.</summary>
    private static string? GetReason(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.TryGetProperty("State", out var state) && state.TryGetProperty("Reason", out var reason) ? reason.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
