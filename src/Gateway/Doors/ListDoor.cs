using System.Text;
using Gateway.Access;
using Gateway.Bundles;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage.Paths;
using Gateway.Storage.Sources;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Doors;

/// <summary>The door of <c>/bundle/list</c>: which folder is listed, and from where.</summary>
internal sealed class ListDoor(BundleRequestReader reader, SourceAuthorizer authorizer, FolderLister lister)
{
    private const int MaxAfterBytes = 4 * 1024;
    private const int MaxShownName = 40;

    /// <summary>Reads the folder as a request for a bundle of it, so that the same rules apply. Without an id the request has no entries.</summary>
    public Task<(BundleRequest Request, ClientContext Client)> ReadAsync(BundleRun run)
    {
        var query = Query.Read(run.Http.Request);
        var fields = new BundleFields(maxEntries: 1);
        if (query.Id is not null)
        {
            fields.Add(new RequestedEntry(query.Id));
        }

        var request = query.Id is null ? BundleRequest.Empty : reader.Validate(fields);
        return Task.FromResult((request, Credentials.GetClient(run.Http)));
    }

    /// <summary>Lists what was read.</summary>
    public async Task<FolderDocument> ListAsync(BundleRun run) => run.Bundle!.Entries.Count == 0
        ? FolderLister.Describe(await authorizer.FindListableAsync(run.Http))
        : await lister.ListAsync(run, Query.Read(run.Http.Request).After);

    /// <param name="Id">The folder; null: the sources.</param>
    /// <param name="After">Where the page begins; null: the first page.</param>
    private sealed record Query(string? Id, string? After)
    {
        /// <exception cref="BundleProblemException">It cannot be read.</exception>
        public static Query Read(HttpRequest request)
        {
            var query = new Query(null, null);
            foreach (var pair in new QueryStringEnumerable(request.QueryString.Value))
            {
                var name = pair.DecodeName().ToString();
                if (!PercentEncoding.IsUtf8(pair.EncodedValue.Span))
                {
                    throw BundleProblemException.BadRequest($"The parameter '{HiddenCharacters.Escape(name, MaxShownName)}' is not UTF-8.");
                }

                query = query.With(name, pair.DecodeValue().ToString());
            }

            return query switch
            {
                { Id: null, After: not null } => throw BundleProblemException.BadRequest("after: needs the id of a folder."),
                { Id: not (null or [.., '/']) } => throw BundleProblemException.BadRequest("id: must name a folder and end in a slash."),
                { After: { } after } when Encoding.UTF8.GetByteCount(after) is 0 or > MaxAfterBytes =>
                    throw BundleProblemException.BadRequest($"after: the 'next' of another page, at most {MaxAfterBytes} bytes."),
                _ => query,
            };
        }

        private Query With(string name, string value) => name switch
        {
            "id" when Id is null => this with { Id = value },
            "after" when After is null => this with { After = value },
            "id" or "after" => throw BundleProblemException.BadRequest($"{name}: given more than once."),
            _ => throw BundleProblemException.BadRequest($"There is no parameter '{HiddenCharacters.Escape(name, MaxShownName)}'. Known: id, after."),
        };
    }
}
