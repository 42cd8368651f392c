using System.Text;
using Gateway.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Fuzz.Targets;

/// <summary>Signed URLs: exactly the signature and the time are removed.</summary>
internal static class SignatureTarget
{
    private const string Mark = "&signature=";

    public static void Run(byte[] input)
    {
        var query = "?" + Encoding.Latin1.GetString(input);
        var context = new DefaultHttpContext();
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = "/bundle" + query;
        context.Request.QueryString = new QueryString(query);
        var isSigned = SignedUrlHandler.IsSigned(context.Request);
        FuzzTarget.Require(isSigned == query.Contains(Mark, StringComparison.Ordinal), "a signed URL is recognized");

        SignedUrlHandler.Strip(context.Request);

        var kept = context.Request.QueryString.Value ?? "";
        FuzzTarget.Require(isSigned ? query.StartsWith(kept, StringComparison.Ordinal) && kept.Length < query.Length : kept == query, "the remaining query is a prefix of the original");
        FuzzTarget.Require(kept.Length != 1 || !isSigned, "nothing is left of a query that was only a signature");
    }
}
