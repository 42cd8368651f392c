using Gateway.Bundles;
using Microsoft.AspNetCore.Http;

namespace Fuzz.Targets;

/// <summary>An HTML form.</summary>
internal static class FormTarget
{
    private static readonly BundleOptions Options = new();

    public static void Run(byte[] input)
    {
        var request = new DefaultHttpContext().Request;
        request.Method = HttpMethods.Post;
        request.ContentType = "application/x-www-form-urlencoded";
        request.Body = new MemoryStream(input);
        try
        {
            var fields = BundleFields.ReadAsync(request, 100, CancellationToken.None).GetAwaiter().GetResult();
            IdsTarget.RequireHarmless(BundleRequest.Create(fields, Options));
        }
        catch (BundleRefusal refusal)
        {
            IdsTarget.RequireClear(refusal);
        }
    }
}
