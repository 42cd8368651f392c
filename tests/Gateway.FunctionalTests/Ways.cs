using Testing;

namespace Gateway.FunctionalTests;

/// <summary>
/// Every way in which a client gets an archive; the guarantees of the fault table apply to each. By default a test runs for every
/// value, and for three ways, which differ between tests, so that all tests together cover all of them; in the full matrix for every
/// combination.
/// </summary>
public static class Ways
{
    private const int Reduced = 3;

    /// <summary>Every writer, with every form of block.</summary>
    public static readonly string[] Recipes =
        ["format=tar.gz", "format=tar.gz&compression=store", "format=tar", "format=tar.zst", "format=zip", "format=zip&compression=store"];

    public static readonly Protocol[] Protocols = Enum.GetValues<Protocol>();

    /// <summary>For what ends before the first byte, where the format does not matter.</summary>
    public static TheoryData<Protocol> Early => new(Matrix.IsFull ? Protocols : [Protocols[Turn() % Protocols.Length], Protocols[(Turn() + 1) % Protocols.Length]]);

    /// <summary>The same for slow tests: by default one protocol of each version.</summary>
    public static TheoryData<Protocol> Slow => new(Matrix.Of(full: Protocols, reduced: [Protocol.Http1, Protocol.Http2Tls]));

    public static TheoryData<Protocol, string> All => Each(Protocols, Recipes);

    /// <summary>All ways, each with all values.</summary>
    public static TheoryData<Protocol, string, T> With<T>(params T[] values)
    {
        var rows = new TheoryData<Protocol, string, T>();
        if (Matrix.IsFull)
        {
            foreach (var (protocol, recipe, value) in from protocol in Protocols from recipe in Recipes from value in values select (protocol, recipe, value))
            {
                rows.Add(protocol, recipe, value);
            }
        }
        else
        {
            var turn = Turn();
            for (var i = 0; i < Math.Max(Reduced, values.Length); i++)
            {
                rows.Add(Protocols[(i + turn) % Protocols.Length], Recipes[(i + turn) % Recipes.Length], values[(i + (turn / Protocols.Length)) % values.Length]);
            }
        }

        return rows;
    }

    /// <summary>Protocols, each with all values.</summary>
    public static TheoryData<Protocol, T> Each<T>(Protocol[] protocols, T[] values)
    {
        var rows = new TheoryData<Protocol, T>();
        if (Matrix.IsFull)
        {
            foreach (var (protocol, value) in from protocol in protocols from value in values select (protocol, value))
            {
                rows.Add(protocol, value);
            }
        }
        else
        {
            var turn = Turn();
            for (var i = 0; i < Math.Min(Reduced, Math.Max(protocols.Length, values.Length)); i++)
            {
                rows.Add(protocols[(i + turn) % protocols.Length], values[(i + turn) % values.Length]);
            }
        }

        return rows;
    }

    /// <summary>Where a test begins to combine: always the same for one test, different between tests.</summary>
    private static int Turn() => (TestContext.Current.TestMethod?.MethodName ?? "").Sum(letter => letter) % 24;
}
