namespace Gateway.Storage.Failures;

/// <summary>Storage did not give what it should.</summary>
/// <param name="reason">Why.</param>
/// <param name="detail">More than the reason's own text says; of what storage or a client sent it holds at most ETags, which are printable ASCII. Null: the text.</param>
/// <param name="retryAfter">How long storage, or an open circuit, asks to wait.</param>
/// <param name="inner">What was seen on the connection.</param>
public sealed class StorageException(FailureReason reason, string? detail = null, TimeSpan? retryAfter = null, Exception? inner = null)
    : IOException(detail ?? reason.Text, inner)
{
    /// <summary>Why, and what follows from it.</summary>
    public FailureReason Reason { get; } = reason;

    /// <summary>Where another attempt makes sense.</summary>
    public RetryScope Retry { get; private init; } = reason.Retry;

    /// <summary>How long storage, or an open circuit, asks to wait; null: it does not ask.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>More than a client may know, for the log; null: nothing.</summary>
    public string? LogDetail { get; init; }

    /// <summary>The id of the destination that was asked, if it came that far.</summary>
    public string? Destination { get; private set; }

    /// <summary>The status code that storage sent, if it sent one.</summary>
    public int? UpstreamStatusCode { get; private set; }

    /// <summary>Notes which attempt failed. The first one that is noted stays.</summary>
    public void Note(string? destination, int? upstreamStatusCode)
    {
        Destination ??= destination;
        UpstreamStatusCode ??= upstreamStatusCode;
    }

    /// <summary>The same failure with another sentence.</summary>
    public StorageException With(string sentence) =>
        new(Reason, $"{Message} {sentence}", RetryAfter, InnerException) { LogDetail = LogDetail, Destination = Destination, UpstreamStatusCode = UpstreamStatusCode };

    /// <summary>The same failure when no attempts are left.</summary>
    public StorageException AsFinal() =>
        new(Reason, Message, RetryAfter, InnerException) { Retry = RetryScope.None, LogDetail = LogDetail, Destination = Destination, UpstreamStatusCode = UpstreamStatusCode };
}
