using Gateway.Responses;
using Gateway.Storage.Paths;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Requests;

/// <summary>The query of <c>/bundle/list</c>.</summary>
/// <param name="Id">The folder; null: the sources.</param>
/// <param name="After">Where the page begins; null: the first page.</param>
internal sealed record FolderQuery(string? Id, string? After)
{
    private const int MaxShownName = 40;

    /// <summary>Reads it.</summary>
    /// <exception cref="BundleProblemException">It cannot be read.</exception>
    public static FolderQuery Read(HttpRequest request)
    {
        var query = new FolderQuery(null, null);
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
            _ => query,
        };
    }

    private FolderQuery With(string name, string value) => name switch
    {
        "id" when Id is null => this with { Id = value },
        "after" when After is null => this with { After = value },
        "id" or "after" => throw BundleProblemException.BadRequest($"{name}: given more than once."),
        _ => throw BundleProblemException.BadRequest($"There is no parameter '{HiddenCharacters.Escape(name, MaxShownName)}'. Known: id, after."),
    };
}
