using Testing;

namespace Gateway.FunctionalTests;

/// <summary>
/// Every way in which a client gets an archive; the guarantees of the fault table apply to each. By default a test runs for every
/// value with one protocol and one recipe, which differ between tests, so that all tests together cover all of them; in the full matrix for
/// every combination.
/// </summary>
public static class Ways
{
    /// <summary>Every writer, with every form of block.</summary>
    public static readonly string[] Recipes =
        ["format=tar.gz", "format=tar.gz&compression=store", "format=tar", "format=tar.zst", "format=zip", "format=zip&compression=store"];

    public static readonly Protocol[] Protocols = Enum.GetValues<Protocol>();

    /// <summary>For what ends before the first byte, where the format does not matter.</summary>
    public static TheoryData<Protocol> Early => new(Matrix.IsFull ? Protocols : [Protocols[Turn() % Protocols.Length]]);

    /// <summary>The same for slow tests: by default one protocol.</summary>
    public static TheoryData<Protocol> Slow => Early;

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
            for (var i = 0; i < Math.Max(1, values.Length); i++)
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
            rows.Add(protocols[turn % protocols.Length], values[turn % values.Length]);
        }

        return rows;
    }

    /// <summary>Every combination in the full matrix; by default each value of either list at least once, in pairs.</summary>
    public static TheoryData<T1, T2> Pairs<T1, T2>(T1[] one, T2[] other)
    {
        var rows = new TheoryData<T1, T2>();
        if (Matrix.IsFull)
        {
            foreach (var (first, second) in from first in one from second in other select (first, second))
            {
                rows.Add(first, second);
            }
        }
        else
        {
            for (var i = 0; i < Math.Max(one.Length, other.Length); i++)
            {
                rows.Add(one[i % one.Length], other[i % other.Length]);
            }
        }

        return rows;
    }

    /// <summary>Where a test begins to combine: always the same for one test, different between tests.</summary>
    private static int Turn() => (TestContext.Current.TestMethod?.MethodName ?? "").Sum(letter => letter) % 24;
}
