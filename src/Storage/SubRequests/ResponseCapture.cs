using Gateway.Storage.Connections;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Storage.SubRequests;

/// <summary>
/// The feature that marks a request as a sub-request. The capture transform hands the response over here and then waits, so that for
/// YARP the request is in flight until its body has been read: counters and passive health stay correct.
/// </summary>
/// <remarks>Two flows meet here: YARP's, which calls <see cref="HandOverAsync"/>, and the reader's, which awaits
/// <see cref="Received"/> and calls <see cref="Release"/>. The message belongs to YARP's flow; the reader only borrows its body.</remarks>
internal sealed class ResponseCapture(IReadOnlyCollection<string> tried)
{
    private readonly TaskCompletionSource<HttpResponseMessage?> _received = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Destinations to avoid while there is another one.</summary>
    public IReadOnlyCollection<string> Tried { get; } = tried;

    /// <summary>Whether no other destination can be tried after this one.</summary>
    public bool IsLastDestination { get; set; }

    /// <summary>Why there is no response, recorded where it happened.</summary>
    public StorageException? Failure { get; set; }

    /// <summary>Whether the request continues an object that is being sent.</summary>
    public bool IsUrgent { get; set; }

    /// <summary>The key that the path must end with after decoding once; null: not compared.</summary>
    public string? ExactKey { get; init; }

    /// <summary>The version of the object to read; null: the current one.</summary>
    public string? Version { get; init; }

    /// <summary>The page of a listing that is requested; null: an object is.</summary>
    public ListingExchange? Listing { get; init; }

    /// <summary>The request's slot in the concurrency limit; null if it has none.</summary>
    public ConcurrencyLimit.Slot? Slot { get; set; }

    /// <summary>The concurrency limit of the chosen destination.</summary>
    public ConcurrencyLimit? Limit { get; set; }

    /// <summary>Whether the destination is at fault for <see cref="Failure"/>, and not the object.</summary>
    public bool IsFaultOfDestination { get; set; } = true;

    /// <summary>Decides whether a failure of the object counts against its destination; null until a destination was chosen.</summary>
    public DestinationFailures? Failures { get; set; }

    /// <summary>The response, or null if the pipeline ended without one.</summary>
    public Task<HttpResponseMessage?> Received => _received.Task;

    public Task HandOverAsync(HttpResponseMessage message)
    {
        _received.TrySetResult(message);
        return _released.Task;
    }

    /// <summary>Ends the reading of the body.</summary>
    public void Release() => _released.TrySetResult();

    /// <summary>Called when the pipeline has ended: a reader that still waits gets no response.</summary>
    public void End() => _received.TrySetResult(null);
}

/// <summary>Reports a failure to YARP's passive health checks that YARP itself did not see.</summary>
internal sealed record ObservedForwarderError(ForwarderError Error, Exception? Exception) : IForwarderErrorFeature;
