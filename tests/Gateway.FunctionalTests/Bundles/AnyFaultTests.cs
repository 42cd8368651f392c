using CsCheck;
using Testing;

namespace Gateway.FunctionalTests.Bundles;

/// <summary>The property that everything else follows from.</summary>
public class AnyFaultTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(45);

    private static readonly Gen<Fault> Faults =
        from offset in Gen.Int[0, 300_000]
        from ending in Gen.OneOf(Gen.Const(Ending.None), Gen.Const(Ending.Close), Gen.Const(Ending.Reset))
        from ignoreRange in Gen.Bool
        select new Fault { After = ending == Ending.None ? null : offset, Ending = ending, IgnoreRange = ignoreRange };

    private static readonly Gen<(int Size, bool HasETag, Fault[] Faults)> Objects = Gen.Select(
        Gen.OneOf(Gen.Int[0, 2000], Gen.Int[0, 300_000]), Gen.Frequency((3, Gen.Const(true)), (1, Gen.Const(false))), Faults.Array[0, 3]);

    [Fact]
    public async Task Any_manifest_with_any_cuts_gives_identical_bytes_or_a_visible_cut()
    {
        await using var upstream = new ScriptedUpstream();
        // Little is read into memory first, where every interruption can be repaired.
        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:LookaheadBytes", 64 * 1024)], upstream.Address);
        var (run, whole, cut) = (0, 0, 0);

        await Gen.Select(Objects.Array[1, 8], Gen.Bool, Gen.Int[0, Ways.Protocols.Length - 1], Gen.Int[0, Ways.Recipes.Length - 1]).SampleAsync(
            async (objects, isChecked, protocol, recipe) =>
            {
                var client = gateway.ClientOf(Ways.Protocols[protocol]);
                var prefix = Interlocked.Increment(ref run);
                var ids = new List<string>();
                for (var i = 0; i < objects.Length; i++)
                {
                    upstream.Put($"/{prefix}/{i}", new ObjectContent(objects[i].Size, i), objects[i].HasETag ? $"\"v{i}\"" : null);
                    ids.Add($"s/{prefix}/{i}");
                }

                var url = $"/bundle?ids={string.Join(',', ids)}&missing={(isChecked ? "fail" : "abort")}&{Ways.Recipes[recipe]}";
                var good = await GetAsync(client, url);
                good.RequireWhole();
                for (var i = 0; i < objects.Length; i++)
                {
                    upstream.Fail($"/{prefix}/{i}", [.. objects[i].Faults.Where(fault => fault.After is null || fault.After <= objects[i].Size)]);
                }

                var download = await GetAsync(client, url);
                if (download.IsCut)
                {
                    Interlocked.Increment(ref cut);
                    download.RequireCut();
                    Assert.Equal(download.Bytes, good.Bytes[..download.Bytes.Length]);
                }
                else
                {
                    Interlocked.Increment(ref whole);
                    Assert.Equal(good.Bytes, download.Bytes);
                }
            },
            iter: Matrix.Of(full: 150, reduced: 80),
            threads: 2);

        Assert.True(whole > 0 && cut > 0, $"{whole} whole, {cut} cut: the faults must cause both");

        // A download that hangs must be told apart from a slow machine.
        async Task<Download> GetAsync(HttpClient client, string url)
        {
            using var limit = new CancellationTokenSource(Limit);
            try
            {
                return await Download.GetAsync(client, url, limit.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"{client.BaseAddress}{url} (HTTP/{client.DefaultRequestVersion}) has not ended in {Limit}. Storage is sending {upstream.Answering} responses. {run} runs, {gateway.Outcomes.Seen} outcomes; the last: {gateway.Outcomes.Lines.LastOrDefault()}");
                throw;
            }
        }
    }
}
