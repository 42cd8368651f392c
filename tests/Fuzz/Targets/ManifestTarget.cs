using Gateway.Requests;
using Gateway.Responses;

namespace Fuzz.Targets;

/// <summary>The JSON of a POST: what is accepted is harmless, and serializing it again gives the same request, as in a link.</summary>
internal static class ManifestTarget
{
    private const int MaxEntries = 100;
    private static readonly CompressionOptions Compression = new();
    private static readonly NameOptions Names = new();

    public static void Run(byte[] input)
    {
        try
        {
            var fields = Read(input);
            IdsTarget.RequireHarmless(BundleRequest.Create(fields, Compression, Names));
            fields.ExpiresIn = null;
            var again = Read(BundleManifest.From(fields).ToBytes());
            FuzzTarget.Require(
                (again.Format, again.Compression, again.Missing, again.HasReceipt, again.FileName) == (fields.Format, fields.Compression, fields.Missing, fields.HasReceipt, fields.FileName)
                && again.Entries.Count == fields.Entries.Count
                && again.Entries.Zip(fields.Entries).All(pair => Same(pair.First, pair.Second)),
                "a manifest that is serialized again is the same request");
        }
        catch (BundleProblemException refusal)
        {
            IdsTarget.RequireClear(refusal);
        }
    }

    private static BundleFields Read(byte[] json) => BundleFields.FromManifest(json, MaxEntries);

    private static bool Same(RequestedEntry one, RequestedEntry other) =>
        (one with { Sha256 = null }) == (other with { Sha256 = null }) && one.Sha256.AsSpan().SequenceEqual(other.Sha256);
}
