using System.Text;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Storage.Paths;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;

namespace Fuzz.Targets;

/// <summary>The query of a bundle, as a server passes it on: accepted names stay in their folder, and keys under their prefix in storage.</summary>
internal static class IdsTarget
{
    private const string Prefix = "http://storage.example/bucket/";
    private static readonly CompressionOptions Compression = new();
    private static readonly NameOptions Portable = new();
    private static readonly NameOptions Unportable = new() { Portable = false };

    public static void Run(byte[] input)
    {
        var query = "?" + Encoding.Latin1.GetString(input);
        foreach (var names in new[] { Portable, Unportable })
        {
            try
            {
                var fields = BundleFields.FromQuery(query, 100);
                RequireHarmless(BundleRequest.Create(fields, Compression, names));
            }
            catch (BundleProblemException refusal)
            {
                RequireClear(refusal);
            }
        }
    }

    public static void RequireHarmless(BundleRequest request)
    {
        FuzzTarget.Require(request.Entries.Count > 0, "a bundle has entries");
        foreach (var entry in request.Entries)
        {
            if (entry.GivenName is not null)
            {
                for (var (id, last) = (entry.Id, ""); id != last; (id, last) = (Uri.UnescapeDataString(id), id))
                {
                    FuzzTarget.Require(!id.Split('/', '\\').Any(segment => segment.Split(';')[0] is "." or ".."), "an exact id has no dot segment, for any number of decodings");
                    FuzzTarget.Require(HiddenCharacters.IndexIn(id) < 0 && !id.Contains('\\'), "an exact id hides nothing");
                }
            }

            foreach (var name in entry.GivenName is null ? [entry.Id] : new[] { entry.Name })
            {
                FuzzTarget.Require(Path.GetFullPath(Path.Combine("/base/folder", name)) == "/base/folder/" + name, "a name stays in its folder");
                FuzzTarget.Require(HiddenCharacters.IndexIn(name) < 0 && !name.Contains('\\'), "a name hides nothing");
                FuzzTarget.Require(name.Normalize(NormalizationForm.FormKC).Split('/', '\\').Length == name.Split('/').Length, "a name has no other segments in its compatibility form");
                FuzzTarget.Require(!name.Normalize(NormalizationForm.FormKC).Split('/').Any(segment => segment.Split(';')[0] is "." or ".."), "no server reads a dot segment in a name");
                FuzzTarget.Require(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(name)) == name, "a name is Unicode");
            }

            var address = RequestUtilities.MakeDestinationAddress(Prefix, new PathString("/" + entry.Id), QueryString.Empty);
            FuzzTarget.Require(address.AbsoluteUri.StartsWith(Prefix, StringComparison.Ordinal), "a URL stays under its prefix");
            FuzzTarget.Require(address.Query.Length == 0 && address.Fragment.Length == 0 && address.UserInfo.Length == 0, "an id is only a path");
            FuzzTarget.Require(Uri.UnescapeDataString(address.AbsoluteUri[Prefix.Length..]) == entry.Id, "the requested path is the id");
        }
    }

    public static void RequireClear(BundleProblemException refusal)
    {
        FuzzTarget.Require(refusal.StatusCode is 400 or 413 or 415, "bad input is 400, 413 or 415");
        FuzzTarget.Require(refusal.Message.Length > 0 && HiddenCharacters.IndexIn(refusal.Message) < 0, "the message has no hidden characters");
        FuzzTarget.Require(refusal.Errors.All(error => error.Reason.Length > 0), "each error has a reason");
        FuzzTarget.Require(refusal.Errors.Select(error => error.Index).Distinct().Count() == refusal.Errors.Count, "each entry is named once");
    }
}
