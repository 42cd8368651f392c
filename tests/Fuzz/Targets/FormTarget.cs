using Gateway.Bundles;
using Gateway.Responses;

namespace Fuzz.Targets;

/// <summary>An HTML form.</summary>
internal static class FormTarget
{
    private static readonly BundleOptions Options = new();

    public static void Run(byte[] input)
    {
        try
        {
            var fields = BundleFields.FromFormAsync(input, 100).GetAwaiter().GetResult();
            IdsTarget.RequireHarmless(BundleRequest.Create(fields, Options));
        }
        catch (BundleProblemException refusal)
        {
            IdsTarget.RequireClear(refusal);
        }
    }
}
