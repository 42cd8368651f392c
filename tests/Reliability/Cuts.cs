using System.Globalization;
using System.Text;
using Testing;

namespace Reliability;

/// <summary>
/// Downloads that must not complete, because storage loses an object permanently: in every format, over every protocol, with
/// every client. No client may accept one as complete.
/// </summary>
internal static class Cuts
{
    private static readonly string[] Recipes =
    [
        "format=tar.gz", "format=tar.gz&compression=store", "format=tar", "format=tar.zst", "format=tar.zst&compression=store", "format=zip", "format=zip&compression=store",
        "format=tar&receipt=true", "format=zip&receipt=true",
    ];

    /// <summary>Runs truncated downloads, alternating between the clients, and counts the outcomes.</summary>
    /// <param name="count">Number of downloads.</param>
    /// <param name="seed">Determines where they break.</param>
    public static async Task<CutResult> RunAsync(int count, int seed)
    {
        await using var upstream = new ScriptedUpstream();
        await using var gateway = await Gateways.StartAsync(upstream.Address);
        var random = new Random(seed);
        var plans = Enumerable.Range(0, count).Select(i => Plan.Draw(i, random)).ToArray();
        var rows = gateway.Ways.Select(way => new CutRow(way.Protocol, way.Reader.Name)).ToArray();
        var next = 0;
        await Task.WhenAll(gateway.Ways.Select(async (way, place) =>
        {
            // Each client gets its share; a faster client gets no more, so that every client is tested.
            for (var i = place; i < count; i += gateway.Ways.Count)
            {
                Interlocked.Increment(ref next);
                var url = plans[i].Prepare(upstream);
                rows[place].Count(await way.Reader.GetAsync(way.Address.TrimEnd('/') + url), plans[i].Describe());
                if (way.Reader is HttpClientReader client)
                {
                    rows[place].LooksWhole(client.Bytes);
                }
            }
        }));
        return new CutResult(rows, upstream.FaultsDelivered);
    }

    /// <summary>One download and where it breaks.</summary>
    private sealed record Plan(int Number, string Recipe, int[] Sizes, int Breaks, long After, Ending Ending, bool IsMissing, bool IsChecked)
    {
        public static Plan Draw(int number, Random random)
        {
            var sizes = Enumerable.Range(0, random.Next(1, 5)).Select(_ => Size(random)).ToArray();
            var breaks = random.Next(sizes.Length);
            var isMissing = random.Next(4) == 0;
            if (sizes[breaks] == 0)
            {
                sizes[breaks] = 1;
            }

            // Often at an edge: nothing, all but one, a block.
            var after = random.Next(4) switch
            {
                0 => 0,
                1 => sizes[breaks] - 1,
                2 => Math.Min(sizes[breaks] - 1, 128 * 1024),
                _ => random.Next(sizes[breaks]),
            };
            return new Plan(number, Recipes[random.Next(Recipes.Length)], sizes, breaks, after, random.Next(2) == 0 ? Ending.Reset : Ending.Close, isMissing, !isMissing && random.Next(2) == 0);
        }

        /// <summary>Sets up storage for it.</summary>
        public string Prepare(ScriptedUpstream upstream)
        {
            var ids = new List<string>();
            for (var i = 0; i < Sizes.Length; i++)
            {
                var path = string.Create(CultureInfo.InvariantCulture, $"/{Number}/{i}");
                ids.Add("s" + path);
                if (i == Breaks && IsMissing)
                {
                    continue;
                }

                // Without a strong ETag it is unknown whether the remainder belongs to the beginning.
                upstream.Put(path, new ObjectContent(Sizes[i], Number + i, compressible: (Number + i) % 2 == 0), i == Breaks ? null : "\"v\"");
                if (i == Breaks)
                {
                    upstream.Fail(path, new Fault { After = After, Ending = Ending, Times = 50 });
                }
            }

            return $"/bundle?ids={string.Join(',', ids)}&missing={(IsChecked ? "fail" : "abort")}&{Recipe}";
        }

        public string Describe() => string.Create(
            CultureInfo.InvariantCulture, $"{Recipe}: {string.Join('+', Sizes)} bytes, {(IsMissing ? "no" : $"{Ending} after {After} of")} object {Breaks}");

        private static int Size(Random random) => random.Next(5) switch
        {
            0 => random.Next(3),
            1 => 512 * random.Next(1, 400),
            2 => random.Next(400_000),
            _ => random.Next(40_000),
        };
    }
}

/// <summary>What one client reported over one protocol.</summary>
internal sealed class CutRow(string protocol, string client)
{
    private readonly int[] _verdicts = new int[3];

    public List<string> Undetected { get; } = [];

    /// <summary>Truncated downloads whose bytes nevertheless are a complete archive.</summary>
    public int WholeBytes { get; private set; }

    public void Count(Verdict verdict, string what)
    {
        _verdicts[(int)verdict]++;
        if (verdict == Verdict.Whole)
        {
            Undetected.Add(what);
        }
    }

    public void LooksWhole(byte[] bytes)
    {
        try
        {
            WholeBytes += Download.ReadEntries(bytes).Count > 0 ? 1 : 0;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Expected: no reader accepts it.
        }
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"| {protocol} | {client} | {_verdicts[1]} | {_verdicts[2]} | {_verdicts[0]} |");
}

/// <summary>What all clients reported.</summary>
internal sealed record CutResult(IReadOnlyList<CutRow> Rows, int Faults)
{
    public int Undetected => Rows.Sum(row => row.Undetected.Count);

    public int WholeBytes => Rows.Sum(row => row.WholeBytes);

    public string ToTable()
    {
        var table = new StringBuilder("| protocol | client | cut | refused | taken for whole |\n|---|---|---|---|---|\n");
        foreach (var row in Rows)
        {
            table.Append(row).AppendLine();
        }

        return table.ToString();
    }
}
