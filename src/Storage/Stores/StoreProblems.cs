using System.Net;
using System.Net.Mime;
using System.Text;
using System.Text.Json;

namespace Gateway.Storage.Stores;

/// <summary>The error responses that replace those of a store.</summary>
internal static class StoreProblems
{
    /// <summary>What a client may learn. Anything else concerns the gateway and its store: a proxy in between, payment, a redirect.</summary>
    public static int GetStatus(int status) => status switch
    {
        StatusCodes.Status400BadRequest or StatusCodes.Status414UriTooLong or StatusCodes.Status403Forbidden or StatusCodes.Status404NotFound or StatusCodes.Status410Gone or StatusCodes.Status412PreconditionFailed or StatusCodes.Status416RangeNotSatisfiable
            or StatusCodes.Status429TooManyRequests or StatusCodes.Status500InternalServerError or StatusCodes.Status503ServiceUnavailable or StatusCodes.Status504GatewayTimeout => status,
        _ => StatusCodes.Status502BadGateway,
    };

    /// <summary>The sentence that explains a status.</summary>
    public static string GetText(int status) => status switch
    {
        StatusCodes.Status404NotFound => "The object does not exist.",
        StatusCodes.Status403Forbidden => "The object does not exist, or the gateway may not read it.",
        StatusCodes.Status412PreconditionFailed => "A condition of the request is not met.",
        StatusCodes.Status416RangeNotSatisfiable => "The object does not have the requested bytes.",
        StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable => "Storage is overloaded.",
        _ => "Storage cannot serve the request.",
    };

    /// <summary>An error response of ours (RFC 9457).</summary>
    public static HttpResponseMessage Create(HttpRequestMessage request, int status, string detail)
    {
        var problem = JsonSerializer.Serialize(new { status, detail });
        return new HttpResponseMessage((HttpStatusCode)status)
        {
            RequestMessage = request,
            Content = new StringContent(request.Method == HttpMethod.Head ? "" : problem, Encoding.UTF8, MediaTypeNames.Application.ProblemJson),
        };
    }
}
