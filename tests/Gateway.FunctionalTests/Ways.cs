using Testing;

namespace Gateway.FunctionalTests;

/// <summary>Every way in which a client gets an archive: what the fault table promises holds for each of them.</summary>
public static class Ways
{
    /// <summary>Every writer, and every form that a block can have in it.</summary>
    public static readonly string[] Recipes =
        ["format=tar.gz", "format=tar.gz&compression=store", "format=tar", "format=tar.zst", "format=zip", "format=zip&compression=store"];

    public static readonly Protocol[] Protocols = Enum.GetValues<Protocol>();

    /// <summary>For what ends before the first byte: the format has no part in it.</summary>
    public static TheoryData<Protocol> Early => new(Protocols);

    public static MatrixTheoryData<Protocol, string> All => new(Protocols, Recipes);

    /// <summary>All ways, each with all values.</summary>
    public static MatrixTheoryData<Protocol, string, T> With<T>(params T[] values) => new(Protocols, Recipes, values);
}
