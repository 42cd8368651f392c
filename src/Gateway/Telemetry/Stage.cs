namespace Gateway.Telemetry;

/// <summary>What was being done when a bundle ended, or <see cref="Done"/>.</summary>
internal enum Stage
{
    Done,

    /// <summary>Reading what the client asked for.</summary>
    Request,

    /// <summary>Waiting for a turn.</summary>
    Admission,

    /// <summary>A connection to a destination: refused, not answered, none available.</summary>
    Connect,

    /// <summary>The head of an answer: it did not come, or could not be read.</summary>
    Headers,

    /// <summary>The status of an answer.</summary>
    Status,

    /// <summary>The object is not there.</summary>
    Missing,

    /// <summary>The storage refuses the gateway's own credentials.</summary>
    Denied,

    /// <summary>An answer that would lead away from the source: a redirect, a path outside its prefix.</summary>
    Policy,

    /// <summary>The answer is encoded although identity was asked for.</summary>
    Encoding,

    /// <summary>A body longer or shorter than declared, or of unknown length.</summary>
    Size,

    /// <summary>Another version of the object than the one that was planned or begun.</summary>
    Changed,

    /// <summary>Bytes that are not what a checksum says.</summary>
    Digest,

    /// <summary>An answer that breaks HTTP: a wrong Content-Range, no length and no framing.</summary>
    Protocol,

    /// <summary>A body that broke off and could not be continued.</summary>
    Body,

    /// <summary>A body, or a client, that stopped moving.</summary>
    Stall,

    /// <summary>The client left.</summary>
    Gone,

    /// <summary>The gateway is being shut down.</summary>
    Drain,

    /// <summary>A fault of our own.</summary>
    Fault,
}
