using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Gateway.Storage.Paths;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Responses;

/// <summary>
/// An error document for a person with a browser: what is wrong, which files are affected, what to do. It is one
/// self-contained document. Its Content-Security-Policy allows only its own style, and everything in it is escaped.
/// </summary>
internal static class ProblemPage
{
    private const int MaxErrors = 100;

    private const string Style =
        """
        body{margin:0;font:1rem/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff}
        main{max-width:46rem;margin:4rem auto;padding:0 1.5rem}
        h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}
        .status,footer{color:#595959}
        table{border-collapse:collapse;width:100%;margin:1.5rem 0}
        th,td{text-align:left;vertical-align:top;padding:.4rem .8rem .4rem 0;border-bottom:1px solid #d0d0d0;overflow-wrap:anywhere}
        footer{margin-top:2rem;font-size:.875rem;overflow-wrap:anywhere}
        @media(prefers-color-scheme:dark){body{color:#e8e8e8;background:#161616}.status,footer{color:#a8a8a8}th,td{border-color:#444}}
        """;

    private static readonly string Policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static async Task WriteAsync(HttpContext context, int status, string title, IReadOnlyList<EntryError> errors, string traceId)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        var page = Encoding.UTF8.GetBytes(Render(status, title, errors, response.Headers.RetryAfter.ToString(), traceId));
        response.ContentLength = page.Length;
        await response.BodyWriter.WriteAsync(page, context.RequestAborted);
    }

    private static string Render(int status, string title, IReadOnlyList<EntryError> errors, string retryAfter, string traceId)
    {
        var phrase = ReasonPhrases.GetReasonPhrase(status);
        var page = new StringBuilder();
        page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"robots\" content=\"noindex\">\n")
            .Append(CultureInfo.InvariantCulture, $"<title>{status} {Text(phrase)}</title>\n<style>{Style}</style>\n</head>\n<body>\n<main>\n")
            .Append(CultureInfo.InvariantCulture, $"<h1>{Text(title)}</h1>\n<p class=\"status\">Error {status} ({Text(phrase)})</p>\n")
            .Append(CultureInfo.InvariantCulture, $"<p>{Text(Advice(status, retryAfter))}</p>\n");
        if (errors.Count > 0)
        {
            page.Append("<table>\n<tr><th scope=\"col\">File</th><th scope=\"col\">Problem</th></tr>\n");
            foreach (var error in errors.Take(MaxErrors))
            {
                page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(error.Id)}</td><td>{Text(error.Reason)}</td></tr>\n");
            }

            page.Append("</table>\n");
            if (errors.Count > MaxErrors)
            {
                page.Append(CultureInfo.InvariantCulture, $"<p>And {errors.Count - MaxErrors} more.</p>\n");
            }
        }

        return page.Append(CultureInfo.InvariantCulture, $"<footer>If you report this, please include the identifier {Text(traceId)}.</footer>\n</main>\n</body>\n</html>\n").ToString();
    }

    private static string Advice(int status, string retryAfter) => status switch
    {
        StatusCodes.Status401Unauthorized => "You are not signed in, or the link does not give you the right to download these files. Ask the person who sent it for another link.",
        StatusCodes.Status403Forbidden => "You may not download these files. Ask the person who sent you the link.",
        StatusCodes.Status404NotFound => "The link may be old or incomplete. Check that you have copied all of it, or ask the person who sent it.",
        StatusCodes.Status410Gone or StatusCodes.Status409Conflict or StatusCodes.Status412PreconditionFailed =>
            "Ask the person who sent you the link for a new one. If you were resuming a download, delete its first part and begin again.",
        StatusCodes.Status416RangeNotSatisfiable => "Your browser asked for a part of the file that does not exist. Delete the first part of the download and begin again.",
        StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable =>
            $"Please try again {(int.TryParse(retryAfter, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? $"in {seconds} s" : "later")}.",
        StatusCodes.Status505HttpVersionNotsupported => "Your program, or a proxy between it and this server, is too old for this download. Ask the person who runs the server.",
        >= 500 => "This is not your fault. Please try again later.",
        StatusCodes.Status408RequestTimeout or StatusCodes.Status413PayloadTooLarge or StatusCodes.Status414UriTooLong or StatusCodes.Status415UnsupportedMediaType =>
            "The request cannot be served in this form. If a web page sent it, tell the person who runs that page.",
        _ => "The link is not correct. Check that you have copied all of it, or ask the person who sent it.",
    };

    private static string Text(string text) => HtmlEncoder.Default.Encode(HiddenCharacters.Escape(text, maxLength: 2000));
}
