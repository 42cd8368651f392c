namespace Gateway.Storage.Failures;

/// <summary>A failure of storage.</summary>
/// <param name="reason">The reason.</param>
/// <param name="detail">A more precise text; null: the reason's text. Of what storage or a client sent it contains at most ETags,
/// which are printable ASCII.</param>
/// <param name="retryAfter">How long storage, or an open circuit, requires to wait.</param>
/// <param name="inner">The exception from the connection.</param>
public sealed class StorageException(FailureReason reason, string? detail = null, TimeSpan? retryAfter = null, Exception? inner = null)
    : IOException(detail ?? reason.Text, inner)
{
    /// <summary>Why, and what follows from it.</summary>
    public FailureReason Reason { get; } = reason;

    /// <summary>Where a retry makes sense.</summary>
    public RetryScope Retry { get; private init; } = reason.Retry;

    /// <summary>How long storage, or an open circuit, asks to wait; null: it does not ask.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>Details for the log that the client must not see; null: none.</summary>
    public string? LogDetail { get; init; }

    /// <summary>The id of the destination, if one was chosen.</summary>
    public string? Destination { get; private set; }

    /// <summary>The status code that storage sent, if it sent one.</summary>
    public int? UpstreamStatusCode { get; private set; }

    /// <summary>Records which attempt failed. Only the first call has an effect.</summary>
    public void Note(string? destination, int? upstreamStatusCode)
    {
        Destination ??= destination;
        UpstreamStatusCode ??= upstreamStatusCode;
    }

    /// <summary>The same failure with an additional sentence.</summary>
    public StorageException With(string sentence) =>
        new(Reason, $"{Message} {sentence}", RetryAfter, InnerException) { LogDetail = LogDetail, Destination = Destination, UpstreamStatusCode = UpstreamStatusCode };

    /// <summary>The same failure, marked as not retryable.</summary>
    public StorageException AsFinal() =>
        new(Reason, Message, RetryAfter, InnerException) { Retry = RetryScope.None, LogDetail = LogDetail, Destination = Destination, UpstreamStatusCode = UpstreamStatusCode };
}
