namespace Gateway.FunctionalTests.Storage;

/// <summary>How patient the gateway is where storage breaks inside a body.</summary>
internal static class Patience
{
    /// <summary>Nothing is taken into memory first: what breaks has been passed on in part.</summary>
    public static readonly (string, object)[] Usual =
    [
        ("Upstream:FirstByteTimeout", TimeSpan.FromSeconds(5)),
        ("Upstream:StallTimeout", TimeSpan.FromSeconds(20)),
        ("Upstream:LookaheadBytes", 0),
    ];

    /// <summary>Small objects are taken into memory first.</summary>
    public static readonly (string, object)[] WithMemory = [.. Usual[..2]];

    /// <summary>Standing still is noticed soon; the last word counts.</summary>
    public static readonly (string, object)[] Little = [.. Usual, ("Upstream:StallTimeout", TimeSpan.FromMilliseconds(400))];
}
