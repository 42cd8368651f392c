using System.Diagnostics;
using Microsoft.Net.Http.Headers;

namespace Gateway.Responses;

/// <summary>
/// An error document: <c>application/problem+json</c> (RFC 9457), or the same information as a small HTML page for a client that prefers one.
/// </summary>
internal static class Problem
{
    private const string Html = "text/html";

    /// <summary>Sends the document. Headers that belong to the status must already be set.</summary>
    /// <param name="context">Its response has not started.</param>
    /// <param name="status">The status code.</param>
    /// <param name="title">What is wrong. It is shown as text, and contains nothing unescaped that a client sent.</param>
    /// <param name="errors">The invalid entries.</param>
    public static Task WriteAsync(HttpContext context, int status, string title, IReadOnlyList<EntryError>? errors = null)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.AppendList(HeaderNames.Vary, HeaderNames.Accept);
        return PrefersHtml(context.Request.Headers)
            ? ProblemPage.WriteAsync(context, status, title, errors ?? [], GetTraceId(context))
            : Results.Problem(title: title, statusCode: status, extensions: errors is { Count: > 0 } ? [new("errors", errors)] : null).ExecuteAsync(context);
    }

    /// <summary>The identifier that the document, the access log and traces share.</summary>
    public static string GetTraceId(HttpContext context) => Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;

    /// <summary>Whether a client accepts HTML explicitly, and prefers it to any form of JSON. Wildcards do not count: programs send them.</summary>
    private static bool PrefersHtml(IHeaderDictionary headers)
    {
        if (!MediaTypeHeaderValue.TryParseList(headers.Accept, out var types))
        {
            return false;
        }

        var (html, json) = (0.0, 0.0);
        foreach (var type in types)
        {
            var quality = type.Quality ?? 1;
            if (type.MediaType.Equals(Html, StringComparison.OrdinalIgnoreCase))
            {
                html = Math.Max(html, quality);
            }
            else if (type.Type.Equals("application", StringComparison.OrdinalIgnoreCase)
                && (type.SubType == "*" || type.SubTypeWithoutSuffix.Equals("json", StringComparison.OrdinalIgnoreCase) || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase)))
            {
                json = Math.Max(json, quality);
            }
        }

        return html > json;
    }

    private static void AppendList(this IHeaderDictionary headers, string name, string value)
    {
        if (!headers.GetCommaSeparatedValues(name).Contains(value, StringComparer.OrdinalIgnoreCase))
        {
            headers.AppendCommaSeparatedValues(name, value);
        }
    }
}
