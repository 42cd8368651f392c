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

    /// <summary>The remainder of the body is sent a byte at a time, with such pauses.</summary>
    public TimeSpan? Trickle { get; init; }

    public Ending Ending { get; init; } = Ending.None;

    /// <summary>Another status, with an empty body unless <see cref="Head"/> is set.</summary>
    public int? Status { get; init; }

    /// <summary>Additional header lines; they replace the object's own headers of the same name.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Headers of the object that are omitted.</summary>
    public IReadOnlyList<string> Without { get; init; } = [];

    /// <summary>The complete response headers, verbatim.</summary>
    public string? Head { get; init; }

    /// <summary>Bytes sent after the body.</summary>
    public int Extra { get; init; }

    /// <summary>Maximum bytes of a range; null: all.</summary>
    public long? MaxPart { get; init; }

    /// <summary>Respond to a range request with the whole object.</summary>
    public bool IgnoreRange { get; init; }

    /// <summary>Send the body in chunks, without a Content-Length.</summary>
    public bool Chunked { get; init; }

    /// <summary>Replace the object from this request on.</summary>
    public ScriptedObject? Swap { get; init; }

    /// <summary>How often the fault occurs; each request takes one.</summary>
    public int Times { get; init; } = 1;

    public static Fault Reset(long after) => new() { After = after, Ending = Ending.Reset };

    public static Fault Close(long after) => new() { After = after, Ending = Ending.Close };

    public static Fault Stall(long after) => new() { After = after, Ending = Ending.Stall };

    public static Fault Answer(int status, params (string Name, string Value)[] headers) =>
        new() { Status = status, Headers = headers.ToDictionary(header => header.Name, header => header.Value) };
}

/// <summary>How a faulty response ends.</summary>
public enum Ending
{
    /// <summary>Correctly.</summary>
    None,

    /// <summary>FIN.</summary>
    Close,

    /// <summary>RST.</summary>
    Reset,

    /// <summary>Nothing more is sent until the peer gives up.</summary>
    Stall,
}
