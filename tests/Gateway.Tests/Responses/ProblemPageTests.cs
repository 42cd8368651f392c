using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Responses;

namespace Gateway.Tests.Responses;

public class ProblemPageTests
{
    private readonly TestHttp _http = new();

    [Fact]
    public async Task It_says_what_is_wrong_what_to_do_and_how_to_report_it()
    {
        var page = await WriteAsync(404, "Some objects are missing.");

        Assert.StartsWith("<!doctype html>\n<html lang=\"en\">", page, StringComparison.Ordinal);
        Assert.Contains("<title>404 Not Found</title>", page, StringComparison.Ordinal);
        Assert.Contains("<h1>Some objects are missing.</h1>", page, StringComparison.Ordinal);
        Assert.Contains("<p>The link may be old or incomplete. Check that you have copied all of it, or ask the person who sent it.</p>", page, StringComparison.Ordinal);
        Assert.Contains("identifier id-1.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<table>", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_allows_only_its_own_style()
    {
        var page = await WriteAsync(400, "Bad.");

        var style = Regex.Match(page, "<style>(.*)</style>", RegexOptions.Singleline).Groups[1].Value;
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));
        Assert.Equal(
            $"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            _http.Response.Headers.ContentSecurityPolicy);
        Assert.Equal(("nosniff", "no-referrer"), (_http.Response.Headers.XContentTypeOptions.ToString(), _http.Response.Headers["Referrer-Policy"].ToString()));
    }

    [Fact]
    public async Task Its_length_is_known()
    {
        var page = await WriteAsync(400, "Bad: ü.");

        Assert.Equal(Encoding.UTF8.GetByteCount(page), _http.Response.ContentLength);
        Assert.Equal(400, _http.Response.StatusCode);
    }

    [Fact]
    public async Task Nothing_that_a_client_or_storage_sent_is_interpreted()
    {
        const string Attack = "<script>alert('1')</script>\u202E\"&";

        var page = await WriteAsync(400, Attack, new EntryError(0, Attack, Attack));

        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain('\u202E', page);
        var shown = WebUtility.HtmlDecode(Regex.Match(page, "<h1>(.*)</h1>").Groups[1].Value);
        Assert.Equal("<script>alert('1')</script>\\u{202E}\"&", shown);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(100, null)]
    [InlineData(101, "<p>And 1 more.</p>")]
    [InlineData(5000, "<p>And 4900 more.</p>")]
    public async Task At_most_a_hundred_entries_are_listed(int count, string? rest)
    {
        var page = await WriteAsync(404, "Missing.", [.. Enumerable.Range(0, count).Select(i => new EntryError(i, $"s/{i}", "no such object"))]);

        Assert.Equal(Math.Min(count, 100), Regex.Count(page, "<td>no such object</td>"));
        Assert.Equal(rest is not null, page.Contains("more.</p>", StringComparison.Ordinal));
        Assert.Contains(rest ?? "</table>", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7", "Please try again in 7 s.")]
    [InlineData(null, "Please try again later.")]
    [InlineData("Fri, 02 Jan 2026 03:04:05 GMT", "Please try again later.")]
    public async Task It_says_when_to_try_again(string? retryAfter, string expected)
    {
        _http.Response.Headers.RetryAfter = retryAfter;

        Assert.Contains($"<p>{expected}</p>", await WriteAsync(503, "Busy."), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(400, "The link is not correct.")]
    [InlineData(401, "You are not signed in")]
    [InlineData(403, "You may not download these files.")]
    [InlineData(408, "The request cannot be served in this form.")]
    [InlineData(409, "Ask the person who sent you the link for a new one.")]
    [InlineData(410, "Ask the person who sent you the link for a new one.")]
    [InlineData(412, "Ask the person who sent you the link for a new one.")]
    [InlineData(413, "The request cannot be served in this form.")]
    [InlineData(414, "The request cannot be served in this form.")]
    [InlineData(415, "The request cannot be served in this form.")]
    [InlineData(416, "Your browser asked for a part of the file that does not exist.")]
    [InlineData(429, "Please try again later.")]
    [InlineData(500, "This is not your fault.")]
    [InlineData(502, "This is not your fault.")]
    [InlineData(504, "This is not your fault.")]
    [InlineData(505, "Your program, or a proxy between it and this server, is too old for this download.")]
    public async Task Every_status_has_its_advice(int status, string expected) =>
        Assert.Contains($"<p>{expected}", await WriteAsync(status, "Title."), StringComparison.Ordinal);

    private async Task<string> WriteAsync(int status, string title, params EntryError[] errors)
    {
        await ProblemPage.WriteAsync(_http.Context, status, title, errors, "id-1");
        return _http.Body;
    }
}
