using Gateway.Telemetry;

namespace Gateway.Upstreams;

/// <summary>Where a failed try may be repeated.</summary>
internal enum Retry
{
    /// <summary>Nowhere: the answer is final.</summary>
    Never,

    /// <summary>On a destination that has not been tried: waiting as long again on the same one helps nobody.</summary>
    Elsewhere,

    Anywhere,
}

/// <summary>Storage did not give what it should.</summary>
/// <param name="stage">What went wrong.</param>
/// <param name="reason">For the client and the log; holds nothing that storage or client sent.</param>
/// <param name="statusCode">What the client gets while nothing has been sent: 404, 409, 502, 503, 504.</param>
/// <param name="retry">Where another try makes sense.</param>
/// <param name="retryAfter">What storage, or an open circuit, asked us to wait.</param>
/// <param name="inner">What was seen on the connection.</param>
internal sealed class UpstreamException(
    Stage stage, string reason, int statusCode, Retry retry = Retry.Never, TimeSpan? retryAfter = null, Exception? inner = null)
    : IOException(reason, inner)
{
    public Stage Stage { get; } = stage;

    public int StatusCode { get; } = statusCode;

    public Retry Retry { get; } = retry;

    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>The id of the destination that was asked, if it came that far.</summary>
    public string? Destination { get; private set; }

    /// <summary>The status code that storage sent, if it sent one.</summary>
    public int? UpstreamStatusCode { get; private set; }

    /// <summary>Notes which attempt failed. The first one that is noted stays.</summary>
    public void Note(SubRequest? attempt)
    {
        Destination ??= attempt?.DestinationId;
        UpstreamStatusCode ??= attempt?.ReceivedStatusCode;
    }

    /// <summary>The same failure when no tries are left.</summary>
    public UpstreamException AsFinal() =>
        new(Stage, Message, StatusCode, Retry.Never, RetryAfter, InnerException) { Destination = Destination, UpstreamStatusCode = UpstreamStatusCode };
}
