namespace Testing;

/// <summary>One thing that goes wrong with one request to the <see cref="ScriptedUpstream"/>.</summary>
internal sealed record Fault
{
    /// <summary>Requests of this method only.</summary>
    public string Method { get; init; } = "GET";

    /// <summary>Requests for this range only, like <c>bytes=0-9</c>; null: all.</summary>
    public string? Range { get; init; }

    /// <summary>Body bytes that are sent before the end; null: all.</summary>
    public long? After { get; init; }

    /// <summary>The rest of the body comes a byte at a time, with such pauses.</summary>
    public TimeSpan? Trickle { get; init; }

    public Ending Ending { get; init; } = Ending.None;

    /// <summary>Another status, with an empty body unless <see cref="Head"/> says otherwise.</summary>
    public int? Status { get; init; }

    /// <summary>Header lines in addition, or instead of the object's own where the name is the same.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Headers of the object that are left out.</summary>
    public IReadOnlyList<string> Without { get; init; } = [];

    /// <summary>The whole head, as it is.</summary>
    public string? Head { get; init; }

    /// <summary>Bytes sent behind the body.</summary>
    public int Extra { get; init; }

    /// <summary>At most so many bytes of a range; null: all.</summary>
    public long? MaxPart { get; init; }

    /// <summary>Answer a range with the whole object.</summary>
    public bool IgnoreRange { get; init; }

    /// <summary>Send the body in chunks, without a Content-Length.</summary>
    public bool Chunked { get; init; }

    /// <summary>The object is another one from this request on.</summary>
    public ScriptedObject? Swap { get; init; }

    /// <summary>How often; each request takes one.</summary>
    public int Times { get; init; } = 1;

    public static Fault Reset(long after) => new() { After = after, Ending = Ending.Reset };

    public static Fault Close(long after) => new() { After = after, Ending = Ending.Close };

    public static Fault Stall(long after) => new() { After = after, Ending = Ending.Stall };

    public static Fault Answer(int status, params (string Name, string Value)[] headers) =>
        new() { Status = status, Headers = headers.ToDictionary(header => header.Name, header => header.Value) };
}

/// <summary>How a faulty answer ends.</summary>
public enum Ending
{
    /// <summary>As it should.</summary>
    None,

    /// <summary>FIN.</summary>
    Close,

    /// <summary>RST.</summary>
    Reset,

    /// <summary>Nothing more comes until the peer gives up.</summary>
    Stall,
}
