using Testing;

namespace Reliability;

/// <summary>Clients that disconnect in the middle of a bundle: the time until the connection to storage is closed too.</summary>
internal static class Departures
{
    private static readonly string[] Recipes = ["format=tar.gz", "format=tar", "format=tar.zst", "format=zip", "format=zip&compression=store"];

    public static async Task<Latencies> RunAsync(int count, int seed)
    {
        await using var upstream = new ScriptedUpstream { SendBuffer = 64 * 1024 };
        upstream.Put("/a", new ObjectContent(5L << 30, seed, compressible: false));
        await using var gateway = await GatewayProcess.StartAsync(GatewayUnderTest.Configuration(("s", [upstream.Address])));
        var (random, latencies, protocols) = (new Random(seed), new Latencies(), Enum.GetValues<Protocol>());
        for (var i = 0; i < count; i++)
        {
            var protocol = protocols[i % protocols.Length];
            var before = upstream.BodyBytes;
            var client = await PausingClient.OpenAsync(protocol, gateway.AddressOf(protocol), $"/bundle?ids=s/a&{Recipes[random.Next(Recipes.Length)]}");
            await client.TakeAsync(random.Next(1, 1_000_000));
            await Eventually.TrueAsync(() => upstream.BodyBytes > before, "the bundle is being sent");

            var left = TimeProvider.System.GetTimestamp();
            await client.DisposeAsync();
            await Eventually.TrueAsync(() => upstream.OpenConnections == 0, "the connection to storage is closed");
            latencies.Add(TimeProvider.System.GetElapsedTime(left, upstream.LastClosed));
        }

        return latencies;
    }
}
