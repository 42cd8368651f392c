using Gateway.Access;
using Gateway.Bundles;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage.Sources;

namespace Gateway.Doors;

/// <summary>The door of <c>/bundle/list</c>: which folder is listed, and from where.</summary>
internal sealed class ListDoor(BundleRequestReader reader, SourceAuthorizer authorizer, FolderLister lister, PageTokens tokens)
{
    /// <summary>Reads the folder as a request for a bundle of it, so that the same rules apply. Without an id the request has no entries.</summary>
    public (BundleRequest Request, ClientContext Client, FolderQuery Query) Read(HttpContext context)
    {
        var query = FolderQuery.Read(context.Request);
        var fields = new BundleFields(maxEntries: 1);
        if (query.Id is not null)
        {
            fields.Add(new RequestedEntry(query.Id));
        }

        return (query.Id is null ? BundleRequest.Empty : reader.Validate(fields), Credentials.GetClient(context), query);
    }

    /// <summary>Lists what was read.</summary>
    /// <exception cref="BundleProblemException">There is no such folder, the page is not one of it, or storage fails.</exception>
    public async Task<FolderDocument> ListAsync(BundleRun run, FolderQuery query)
    {
        if (query.Id is null)
        {
            return FolderLister.Describe(await authorizer.FindListableAsync(run.Http));
        }

        var folder = run.Bundle!.Entries[0].Object;
        var name = $"{folder.Source.Name}/{folder.Key}";
        var token = query.After is null ? null : tokens.Open(query.After, name) ?? throw BundleProblemException.BadRequest(FolderLister.InvalidToken);
        var document = await lister.ListAsync(run, token);
        return document with { Next = document.Next is null ? null : tokens.Seal(document.Next, name) };
    }
}
