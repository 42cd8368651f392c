using Gateway.Admission;
using Gateway.Plans;
using Gateway.Responses;
using Gateway.Resuming;

namespace Gateway.Runs;

/// <summary>
/// One request for a bundle, a plan or a link, from its arrival to its outcome. A door creates it (<c>BundleRunFactory</c>), and
/// <c>BundleExecutor</c> fills it step by step.
/// </summary>
/// <remarks>One flow. It owns the permit, the memory, the objects that were opened early, and the writer of the response.
/// <see cref="ReleaseAsync"/> returns what other requests can use, before the client gets an error and before the outcome is recorded.</remarks>
internal sealed class BundleRun : IDisposable
{
    private readonly CancellationTokenSource _stop;
    private readonly Lock _ending = new();
    private bool _hasEnded;

    /// <param name="http">The client's request and its response.</param>
    /// <param name="operation">What the client wants.</param>
    /// <param name="stop">Fires when the client has gone, or when the process has to stop.</param>
    /// <param name="requestMemory">Pays for what the request holds.</param>
    /// <param name="discovery">Pays for objects that are read only to learn their sizes.</param>
    /// <param name="body">Writes the body of the response.</param>
    /// <param name="record">Follows how far the run comes.</param>
    public BundleRun(
        HttpContext http,
        BundleOperation operation,
        CancellationTokenSource stop,
        RequestMemory requestMemory,
        DiscoveryMemory discovery,
        ClientWriter body,
        BundleRecord record)
    {
        Http = http;
        Operation = operation;
        _stop = stop;
        RequestMemory = requestMemory;
        Discovery = discovery;
        Body = body;
        Record = record;
    }

    public HttpContext Http { get; }

    public BundleOperation Operation { get; }

    /// <summary>The identifier that the problem document, the access log and traces share.</summary>
    public string TraceId { get; set; } = "";

    /// <summary>Fires when the client has gone, or when the process has to stop.</summary>
    public CancellationToken Stopped => _stop.Token;

    /// <summary>The body of the request as far as it has arrived, the manifest, and the plan.</summary>
    public RequestMemory RequestMemory { get; }

    /// <summary>Objects that were read only to learn their sizes.</summary>
    public DiscoveryMemory Discovery { get; }

    /// <summary>The body of the response.</summary>
    public ClientWriter Body { get; }

    /// <summary>What is recorded when the run has ended.</summary>
    public BundleRecord Record { get; }

    /// <summary>Objects that were opened before they are sent.</summary>
    public OpenedObjects Opened { get; } = new();

    /// <summary>Entries of the request, as soon as it has been read.</summary>
    public int RequestedEntries { get; set; }

    /// <summary>Step 1: the objects that the client requests.</summary>
    public ResolvedBundle? Bundle { get; set; }

    /// <summary>Step 2: the right to run, and memory.</summary>
    public AdmissionLease? Lease { get; set; }

    /// <summary>Step 3: what decides every byte of the archive.</summary>
    public BundlePlan? Plan { get; set; }

    /// <summary>Step 3: what is known of the archive from earlier requests.</summary>
    public ResumeState? State { get; set; }

    /// <summary>Returns everything that other requests can use.</summary>
    public async ValueTask ReleaseAsync()
    {
        try
        {
            await ReleaseLeaseAsync();
        }
        finally
        {
            RequestMemory.Dispose();
        }
    }

    /// <summary>Returns the lease and what is held under it.</summary>
    public async ValueTask ReleaseLeaseAsync()
    {
        try
        {
            await Opened.DisposeAsync();
        }
        finally
        {
            Lease?.Dispose();
            Lease = null;
            Discovery.Dispose();
        }
    }

    /// <summary>Returns the objects that were opened early, and the memory of those that were read only to learn their sizes.</summary>
    public async ValueTask ReleaseOpenedAsync()
    {
        await Opened.DisposeAsync();
        Discovery.Dispose();
    }

    /// <summary>Ends the run because an operator wants it. It may have ended meanwhile.</summary>
    public void End()
    {
        lock (_ending)
        {
            if (!_hasEnded)
            {
                Record.IsEndedByOperator = true;
                _stop.Cancel();
            }
        }
    }

    public void Dispose()
    {
        lock (_ending)
        {
            _hasEnded = true;
        }

        Body.Dispose();
        _stop.Dispose();
    }
}
