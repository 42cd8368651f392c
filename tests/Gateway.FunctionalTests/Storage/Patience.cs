namespace Gateway.FunctionalTests.Storage;

/// <summary>Timeouts and retries for tests in which storage breaks inside a body.</summary>
internal static class Patience
{
    /// <summary>Nothing is read into memory first, so what breaks has been sent in part.</summary>
    public static readonly (string, object)[] Usual =
    [
        ("Upstream:FirstByteTimeout", TimeSpan.FromSeconds(5)),
        ("Upstream:StallTimeout", TimeSpan.FromSeconds(20)),
        ("Upstream:LookaheadBytes", 0),
    ];

    /// <summary>Small objects are read into memory first.</summary>
    public static readonly (string, object)[] WithMemory = [.. Usual[..2]];

    /// <summary>A stall is detected soon; later settings override earlier ones.</summary>
    public static readonly (string, object)[] Little = [.. Usual, ("Upstream:StallTimeout", TimeSpan.FromMilliseconds(400))];
}
