using System.Diagnostics;
using System.Text.Json;
using Gateway.Responses;

namespace Gateway.Tests.Responses;

public class ProblemTests
{
    private readonly TestHttp _http = new();

    [Fact]
    public async Task A_problem_is_JSON_with_its_title_and_status_and_is_not_stored()
    {
        await Problem.WriteAsync(_http.Context, 400, "Bad.");

        var json = JsonDocument.Parse(_http.Body).RootElement;
        Assert.Equal(("Bad.", 400), (json.GetProperty("title").GetString(), json.GetProperty("status").GetInt32()));
        Assert.False(json.TryGetProperty("errors", out _));
        Assert.Equal((400, "application/problem+json", "no-store"), (_http.Response.StatusCode, _http.Response.ContentType, _http.Response.Headers.CacheControl.ToString()));
    }

    [Fact]
    public async Task Invalid_entries_are_listed()
    {
        await Problem.WriteAsync(_http.Context, 404, "Missing.", [new(3, "s/a", "no such object"), new(5, "s/b", "no such object")]);

        var errors = JsonDocument.Parse(_http.Body).RootElement.GetProperty("errors");
        Assert.Equal(2, errors.GetArrayLength());
        Assert.Equal(
            (3, "s/a", "no such object"),
            (errors[0].GetProperty("index").GetInt32(), errors[0].GetProperty("id").GetString(), errors[0].GetProperty("reason").GetString()));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("*/*", false)]
    [InlineData("text/*", false)]
    [InlineData("application/json", false)]
    [InlineData("text/html", true)]
    [InlineData("TEXT/HTML", true)]
    [InlineData("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true)]
    [InlineData("text/html, application/json", false)]
    [InlineData("text/html, application/problem+json", false)]
    [InlineData("text/html, application/*", false)]
    [InlineData("text/html;q=0.9, application/json;q=0.8", true)]
    [InlineData("text/html;q=0.8, application/json;q=0.9", false)]
    [InlineData("text/html;q=0", false)]
    [InlineData("text/html;q=0.1, text/html;q=0.9, application/json;q=0.5", true)]
    [InlineData("text/html, not a type", true)]
    public async Task A_page_is_for_clients_that_prefer_HTML_explicitly(string? accept, bool isPage)
    {
        _http.Request.Headers.Accept = accept;

        await Problem.WriteAsync(_http.Context, 400, "Bad.");

        Assert.Equal(isPage ? "text/html; charset=utf-8" : "application/problem+json", _http.Response.ContentType);
    }

    [Theory]
    [InlineData(null, "Accept")]
    [InlineData("Origin", "Origin,Accept")]
    [InlineData("accept", "accept")]
    public async Task Caches_learn_that_the_document_depends_on_the_Accept_header(string? vary, string expected)
    {
        _http.Response.Headers.Vary = vary;

        await Problem.WriteAsync(_http.Context, 400, "Bad.");

        Assert.Equal(expected, _http.Response.Headers.Vary);
    }

    [Fact]
    public void The_identifier_is_that_of_the_trace_if_there_is_one()
    {
        Assert.Equal("trace-1", Problem.GetTraceId(_http.Context));

        using var activity = new Activity("request").Start();

        Assert.Equal(activity.TraceId.ToHexString(), Problem.GetTraceId(_http.Context));
    }
}
