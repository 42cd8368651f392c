using Gateway.Storage.Connections;
using Gateway.Storage.Failures;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Storage.SubRequests;

/// <summary>
/// The feature that marks a request as ours. The capture transform hands the answer over here and then waits here, so that for
/// YARP the request is in flight until its body has been read: counters and passive health stay true.
/// </summary>
/// <remarks>Two flows meet here: YARP's, which calls <see cref="HandOverAsync"/>, and the reader's, which awaits
/// <see cref="Received"/> and calls <see cref="Release"/>. The message belongs to YARP's flow; the reader only borrows its body.</remarks>
internal sealed class ResponseCapture(IReadOnlyCollection<string> tried)
{
    private readonly TaskCompletionSource<HttpResponseMessage?> _received = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Destinations not to take again while there is another.</summary>
    public IReadOnlyCollection<string> Tried { get; } = tried;

    /// <summary>Whether no other destination could be tried after this one.</summary>
    public bool IsLastDestination { get; set; }

    /// <summary>Why there is no answer, from the one place that saw it happen.</summary>
    public StorageException? Failure { get; set; }

    /// <summary>Whether the request continues an object that is being sent.</summary>
    public bool IsUrgent { get; set; }

    /// <summary>The key that the path must end in, decoded once; null: not compared.</summary>
    public string? ExactKey { get; init; }

    /// <summary>The request's right to run; null as long as it has none.</summary>
    public ConcurrencyLimit.Slot? Slot { get; set; }

    /// <summary>The limit of the destination that was chosen.</summary>
    public ConcurrencyLimit? Limit { get; set; }

    /// <summary>Whether the destination is at fault for <see cref="Failure"/>. Otherwise it is the object.</summary>
    public bool IsFaultOfDestination { get; set; } = true;

    /// <summary>Decides whether a failure of the object counts against its destination; null as long as none was asked.</summary>
    public DestinationFailures? Failures { get; set; }

    /// <summary>The answer, or null when the pipeline ended without one.</summary>
    public Task<HttpResponseMessage?> Received => _received.Task;

    public Task HandOverAsync(HttpResponseMessage message)
    {
        _received.TrySetResult(message);
        return _released.Task;
    }

    /// <summary>The reader is done with the body.</summary>
    public void Release() => _released.TrySetResult();

    /// <summary>The pipeline has ended; whoever still waits gets nothing.</summary>
    public void End() => _received.TrySetResult(null);
}

/// <summary>Tells YARP's passive health what went wrong where YARP itself did not see it.</summary>
internal sealed record SeenByUs(ForwarderError Error, Exception? Exception) : IForwarderErrorFeature;
