using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Testing;

namespace Reliability;

/// <summary>Objects that change while they are being read, or while a client is disconnected: no archive may contain a mixture.</summary>
internal static class Swaps
{
    private const int Parallel = 4;
    private static readonly string[] Recipes = ["format=tar.gz", "format=tar", "format=tar.zst", "format=zip", "format=zip&compression=store"];

    public static async Task<SwapResult> RunAsync(int count, int seed)
    {
        await using var upstream = new ScriptedUpstream();
        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:Attempts", 2)], upstream.Address);
        var result = new SwapResult();
        await Task.WhenAll(Enumerable.Range(0, Parallel).Select(async worker =>
        {
            var random = new Random(seed + worker);
            for (var i = worker; i < count; i += Parallel)
            {
                await (random.Next(3) == 0 ? WhileClientIsAwayAsync(upstream, gateway, i, random, result) : WhileItIsReadAsync(upstream, gateway, i, random, result));
            }
        }));
        return result;
    }

    /// <summary>The body breaks, and the object has changed when it is requested again.</summary>
    private static async Task WhileItIsReadAsync(ScriptedUpstream upstream, GatewayUnderTest gateway, int number, Random random, SwapResult result)
    {
        var (path, size) = (Path(number), random.Next(1, 300_000));
        var (old, other) = Versions(upstream, path, size, number);
        var swap = new Fault { Swap = new ScriptedObject(new ObjectContent(size, number + 1, compressible: number % 2 == 0), "\"new\""), After = random.Next(2) == 0 ? null : random.Next(size), Ending = Ending.Close };
        upstream.Fail(path, random.Next(3) == 0 ? [swap] : [new Fault { After = random.Next(size), Ending = Ending.Reset }, swap]);
        upstream.Put(path + "-last", new ObjectContent(10, 1));

        var download = await Download.GetAsync(gateway.Client, $"/bundle?ids=s{path},s{path}-last&missing={(random.Next(2) == 0 ? "fail" : "abort")}&{Recipes[random.Next(Recipes.Length)]}");

        if (download.IsCut)
        {
            result.Add(SwapEnd.Cut);
        }
        else if (download.Status != HttpStatusCode.OK)
        {
            result.Add(SwapEnd.Refused);
        }
        else
        {
            result.Add(EndOf(download.RequireWhole()["s" + path], old, other));
        }
    }

    /// <summary>The client has a part, the object changes, and the client returns for the remainder.</summary>
    private static async Task WhileClientIsAwayAsync(ScriptedUpstream upstream, GatewayUnderTest gateway, int number, Random random, SwapResult result)
    {
        var (path, size) = (Path(number), random.Next(1, 300_000));
        var (old, other) = Versions(upstream, path, size, number);
        var url = $"/bundle?ids=s{path}&{Recipes[random.Next(Recipes.Length)]}";
        var first = await Download.GetAsync(gateway.Client, url);
        var had = random.Next(1, first.Bytes.Length);
        upstream.Put(path, new ObjectContent(size, number + 1, compressible: number % 2 == 0), "\"new\"");
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Range = new RangeHeaderValue(had, null);
        request.Headers.IfRange = new RangeConditionHeaderValue(first.Response.Headers.ETag!);

        var rest = await Download.SendAsync(gateway.Client, request);

        byte[] file = rest.Status == HttpStatusCode.PartialContent ? [.. first.Bytes[..had], .. rest.Bytes] : rest.Bytes;
        result.Add(rest.IsCut ? SwapEnd.Cut : EndOf(Download.ReadEntries(file)["s" + path], old, other));
    }

    private static string Path(int number) => string.Create(CultureInfo.InvariantCulture, $"/{number}");

    private static (byte[] Old, byte[] New) Versions(ScriptedUpstream upstream, string path, int size, int number)
    {
        upstream.Put(path, new ObjectContent(size, number, compressible: number % 2 == 0), "\"old\"");
        return (new ObjectContent(size, number, compressible: number % 2 == 0).ToArray(), new ObjectContent(size, number + 1, compressible: number % 2 == 0).ToArray());
    }

    private static SwapEnd EndOf(byte[] body, byte[] old, byte[] other) =>
        body.AsSpan().SequenceEqual(old) ? SwapEnd.Old : body.AsSpan().SequenceEqual(other) ? SwapEnd.New : SwapEnd.Mixed;
}

/// <summary>The outcome of a download whose object changed.</summary>
internal enum SwapEnd
{
    Old,
    New,
    Cut,
    Refused,
    Mixed,
}

/// <summary>The number of each outcome.</summary>
internal sealed class SwapResult
{
    private readonly int[] _ends = new int[Enum.GetValues<SwapEnd>().Length];

    public int Mixed => _ends[(int)SwapEnd.Mixed];

    public void Add(SwapEnd end) => Interlocked.Increment(ref _ends[(int)end]);

    public override string ToString() => string.Join(", ", Enum.GetValues<SwapEnd>().Select(end => $"{end} {_ends[(int)end]}"));
}
