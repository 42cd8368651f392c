using Gateway.Admission;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage;
using Gateway.Storage.Sources;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>Creates the run of a request.</summary>
internal sealed class BundleRunFactory(
    BundleMemory memory, BundlePermits permits, Drain drain, IOptions<ClientOptions> clientOptions, IOptions<UpstreamOptions> upstream, TimeProvider time)
{
    /// <param name="http">The client's request.</param>
    /// <param name="operation">What the client wants.</param>
    /// <param name="read">The door's part: reads the request, and says on whose behalf objects are read. What it throws ends the run like any other failure. Null
    /// where the executor does not run it.</param>
    public BundleRun Create(HttpContext http, BundleOperation operation, Func<BundleRun, Task<(BundleRequest Request, ClientContext Client)>>? read = null)
    {
        var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, drain.Cut);
        return new BundleRun(
            http,
            operation,
            stop,
            memory.Open(ClientIdentity.From(http)),
            new DiscoveryMemory(memory, upstream.Value),
            new ClientWriter(http.Response.BodyWriter, clientOptions.Value, () => permits.Queued > 0, time, stop.Token),
            new BundleRecord(time))
        {
            Read = read,
        };
    }
}
