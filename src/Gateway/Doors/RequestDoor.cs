using Gateway.Access;
using Gateway.Requests;
using Gateway.Runs;
using Gateway.Storage.Sources;

namespace Gateway.Doors;

/// <summary>The door of requests that name their objects themselves: by a query, a form or a manifest.</summary>
internal sealed class RequestDoor(BundleRequestReader reader, SourceAuthorizer authorizer)
{
    /// <summary>Reads a request for an archive or a plan.</summary>
    public async Task<(BundleRequest Request, ClientContext Client)> ReadAsync(BundleRun run) =>
        (reader.Validate(await ReadFieldsAsync(run)), Credentials.GetClient(run.Http));

    private async Task<BundleFields> ReadFieldsAsync(BundleRun run)
    {
        if (!HttpMethods.IsPost(run.Http.Request.Method))
        {
            return reader.ReadQuery(run.Http.Request, run.RequestMemory);
        }

        await authorizer.RequireAnySourceAsync(run.Http);
        return await reader.ReadBodyAsync(run.Http, run.RequestMemory, run.Stopped);
    }
}
