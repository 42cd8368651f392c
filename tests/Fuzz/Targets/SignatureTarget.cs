using System.Text;
using Gateway.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Fuzz.Targets;

/// <summary>Addresses that say they are signed: what is taken off is the signature and the time, and nothing else.</summary>
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
        FuzzTarget.Require(isSigned == query.Contains(Mark, StringComparison.Ordinal), "a signed address is recognized");

        SignedUrlHandler.Strip(context.Request);

        var kept = context.Request.QueryString.Value ?? "";
        FuzzTarget.Require(isSigned ? query.StartsWith(kept, StringComparison.Ordinal) && kept.Length < query.Length : kept == query, "what stays is the beginning of what was there");
        FuzzTarget.Require(kept.Length != 1 || !isSigned, "nothing is left of a query that was only a signature");
    }
}
