using Gateway.Requests;
using Gateway.Responses;

namespace Fuzz.Targets;

/// <summary>An HTML form.</summary>
internal static class FormTarget
{
    private static readonly CompressionOptions Compression = new();
    private static readonly NameOptions Names = new();

    public static void Run(byte[] input)
    {
        try
        {
            var fields = BundleFields.FromFormAsync(input, 100).GetAwaiter().GetResult();
            IdsTarget.RequireHarmless(BundleRequest.Create(fields, Compression, Names));
        }
        catch (BundleProblemException refusal)
        {
            IdsTarget.RequireClear(refusal);
        }
    }
}
