using Gateway.Admission;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>Creates the run of a request.</summary>
internal sealed class BundleRunFactory(
    BundleMemory memory, BundlePermits permits, Drain drain, IOptions<ClientOptions> clientOptions, IOptions<UpstreamOptions> upstream, TimeProvider time)
{
    /// <param name="http">The client's request.</param>
    /// <param name="operation">What the client wants.</param>
    public BundleRun Create(HttpContext http, BundleOperation operation)
    {
        var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, drain.Cut);
        return new BundleRun(
            http,
            operation,
            stop,
            memory.Open(ClientIdentity.From(http)),
            new DiscoveryMemory(memory, upstream.Value),
            new ClientWriter(http.Response.BodyWriter, clientOptions.Value, () => permits.Queued > 0, time, stop.Token),
            new BundleRecord(time));
    }
}
