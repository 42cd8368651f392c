using System.Globalization;
using System.Net;
using Testing;

namespace Reliability;

/// <summary>Bundles of 100 objects of which one in a hundred fails once: no client may notice.</summary>
internal static class Transients
{
    private const int Parallel = 4;
    private const int Objects = 100;
    private const int OneIn = 100;

    /// <returns>Complete bundles, and the number of faults they met.</returns>
    public static async Task<(int Whole, int Faults)> RunAsync(int count, int seed)
    {
        var results = await Task.WhenAll(Enumerable.Range(0, Parallel).Select(worker => WorkAsync(count / Parallel, new Random(seed + worker))));
        return (results.Sum(result => result.Whole), results.Sum(result => result.Faults));
    }

    private static async Task<(int Whole, int Faults)> WorkAsync(int count, Random random)
    {
        await using var upstream = new ScriptedUpstream();
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        var bodies = Enumerable.Range(0, Objects).ToDictionary(
            i => string.Create(CultureInfo.InvariantCulture, $"s/{i}"), i => upstream.Put(string.Create(CultureInfo.InvariantCulture, $"/{i}"), 2000 + (i * 10), seed: i));
        var url = $"/bundle?ids={string.Join(',', bodies.Keys)}&missing=abort";
        var whole = 0;
        for (var bundle = 0; bundle < count; bundle++)
        {
            foreach (var id in bodies.Keys.Where(_ => random.Next(OneIn) == 0))
            {
                upstream.Fail(id[1..], random.Next(5) switch
                {
                    0 => Fault.Answer(503),
                    1 => Fault.Answer(500),
                    2 => Fault.Close(random.Next(bodies[id].Length)),
                    3 => Fault.Reset(random.Next(bodies[id].Length)),
                    _ => new Fault { After = -1, Ending = Ending.Reset },
                });
            }

            var download = await Download.GetAsync(gateway.Client, url);
            if (download is { IsCut: false, Status: HttpStatusCode.OK } && Download.ReadEntries(download.Bytes) is var entries
                && entries.Count == Objects && entries.All(entry => entry.Value.AsSpan().SequenceEqual(bodies[entry.Key])))
            {
                whole++;
            }
        }

        return (whole, upstream.FaultsDelivered);
    }
}
