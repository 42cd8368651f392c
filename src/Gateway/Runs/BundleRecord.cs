using Gateway.Responses;
using Gateway.Storage.Failures;
using Gateway.Storage.Objects;

namespace Gateway.Runs;

/// <summary>How far a run came, and why it ended. <c>BundleRecorder</c> writes it once.</summary>
internal sealed class BundleRecord(TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private TimeSpan _upstreamWaited;
    private long _waitingSince;
    private volatile bool _isEndedByOperator;

    /// <summary>What was read from storage.</summary>
    public TransferCounters Transfer { get; } = new();

    public int EntriesSent { get; set; }

    /// <summary>The entry that is being sent or that failed, by its index in the request.</summary>
    public int? EntryIndex { get; set; }

    /// <summary>The id of the entry at fault, where the run ended before its source was known.</summary>
    public string? BadId { get; private set; }

    public TimeSpan Elapsed => time.GetElapsedTime(_started);

    /// <summary>How long the run has waited for storage, including a wait that has not ended.</summary>
    public TimeSpan UpstreamWaited => _upstreamWaited + (Volatile.Read(ref _waitingSince) is > 0 and var since ? time.GetElapsedTime(since) : default);

    /// <summary>Whether an operator has ended it.</summary>
    public bool IsEndedByOperator
    {
        get => _isEndedByOperator;
        set => _isEndedByOperator = value;
    }

    public FailureReason Reason { get; private set; } = FailureReason.None;

    /// <summary>What failed; null when nothing did.</summary>
    public string? Error { get; private set; }

    /// <summary>The failure of storage, if it was one.</summary>
    public StorageException? StorageFailure { get; private set; }

    /// <summary>What an operator needs besides the fields of the log line.</summary>
    public Exception? Exception { get; private set; }

    /// <summary>Waits for storage and counts the time.</summary>
    public async Task<T> WaitForUpstreamAsync<T>(Task<T> task)
    {
        var started = time.GetTimestamp();
        Volatile.Write(ref _waitingSince, started);
        try
        {
            return await task;
        }
        finally
        {
            Volatile.Write(ref _waitingSince, 0);
            _upstreamWaited += time.GetElapsedTime(started);
        }
    }

    /// <summary>Notes why the run failed.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="clientGone">Is cancelled when the client has closed the connection.</param>
    /// <param name="drained">Is cancelled when the process has to stop.</param>
    public void Fail(Exception exception, CancellationToken clientGone, CancellationToken drained)
    {
        Reason = exception switch
        {
            BundleProblemException problem => problem.Reason,
            StorageException storage => storage.Reason,
            ClientException client => client.Reason,

            // The server ends the connection of a flush that is cancelled, so a cut of ours looks like a client that left.
            OperationCanceledException when drained.IsCancellationRequested => FailureReason.Draining,
            OperationCanceledException when IsEndedByOperator => FailureReason.EndedByOperator,
            _ when clientGone.IsCancellationRequested => FailureReason.ClientGone,
            _ => FailureReason.Fault,
        };
        if (exception is BundleProblemException { Errors: [{ Index: var index, Id: var id }, ..] })
        {
            (EntryIndex, BadId) = (index, id);
        }

        var cause = exception is BundleProblemException { InnerException: { } inner } ? inner : exception;
        StorageFailure = cause as StorageException;
        Error = StorageFailure?.LogDetail is { } detail ? $"{cause.Message} {detail}" : cause.Message;
        Exception = Reason.Origin switch
        {
            _ when Reason == FailureReason.Fault => cause,
            FailureOrigin.Upstream => cause.InnerException,
            _ => null,
        };
    }
}
