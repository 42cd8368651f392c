using Gateway.Access;
using Gateway.Admission;
using Gateway.Links;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage.Sources;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Doors;

/// <summary>The door of links, each of which represents the manifest of a bundle.</summary>
internal sealed class LinkDoor(BundleRequestReader reader, BundleLinks links, AdmissionControl admission)
{
    /// <summary>Finds the link, and reads its manifest.</summary>
    /// <param name="run">The request for the link's URL.</param>
    /// <param name="token">What names the link in its URL.</param>
    public async Task<(BundleRequest Request, ClientContext Client)> ReadAsync(BundleRun run, string token)
    {
        // A short link can represent a long manifest.
        run.Lease = await admission.AcquireAsync(run.Http, AdmissionKind.Metadata, run.Stopped);
        RequireNoParameters(run.Http.Request);
        try
        {
            var link = await links.FindAsync(token, run.Stopped);
            var request = reader.Validate(reader.ReadManifest(link.MaxContentBytes, link.Unpack, run.RequestMemory));
            return (
                request with { CarriesRights = link.CarriesRights, PinnedETag = link.ETag },
                link.CarriesRights ? ClientContext.FromWithoutHeaders(run.Http) : Credentials.GetClient(run.Http));
        }
        catch (LinkException e)
        {
            throw LinkProblems.From(e);
        }
    }

    private static void RequireNoParameters(HttpRequest request)
    {
        // Mail programs and trackers append parameters of their own, which mean nothing here.
        foreach (var pair in new QueryStringEnumerable(request.QueryString.Value))
        {
            if (pair.DecodeName().ToString() is var name && BundleFields.IsParameter(name))
            {
                throw BundleProblemException.BadRequest($"A link takes no parameters: '{name}' is set by its manifest. Create another link.");
            }
        }
    }
}
