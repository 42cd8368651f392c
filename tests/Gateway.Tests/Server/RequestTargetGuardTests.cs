using System.Text.Json;
using Gateway.Server;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Server;

public class RequestTargetGuardTests
{
    private readonly TestHttp _http = new();

    [Theory]
    [InlineData("/bundle", "/bundle")]
    [InlineData("/a%2Fb", "/a%2Fb")]
    [InlineData("/a/b", "http://host/a/b?x=%2f")]
    [InlineData("/a/b", "http://host/a/b#%5c")]
    [InlineData("/a", "/a?http://host/%2f")]
    [InlineData("/...", "/...")]
    [InlineData("", "*")]
    public async Task A_target_that_means_one_thing_passes(string path, string target) => Assert.True(await PassesAsync(path, target));

    [Theory]
    [InlineData("/a/%2e%2e/b")]
    [InlineData("/a/..%2fb")]
    [InlineData("/a/.")]
    [InlineData("/..;x/b")]
    public async Task A_path_with_a_dot_segment_is_a_400(string path)
    {
        Assert.False(await PassesAsync(path, path));

        AssertProblem("The path has a '.' or '..' segment.");
    }

    [Theory]
    [InlineData("http://host/public%2fprivate")]
    [InlineData("http://host/public%2Fprivate?x")]
    [InlineData("HTTP://host/public\\private")]
    [InlineData("http://host/public%5Cprivate")]
    [InlineData("http://host%2f/a")]
    public async Task An_absolute_target_with_an_encoded_slash_or_a_backslash_is_a_400(string target)
    {
        Assert.False(await PassesAsync("/public", target));

        AssertProblem("In a request target with a scheme and a host, the path cannot have an encoded slash or a backslash.");
    }

    private void AssertProblem(string title)
    {
        Assert.Equal((400, null), (_http.Response.StatusCode, _http.Context.GetEndpoint()));
        Assert.Equal(title, JsonDocument.Parse(_http.Body).RootElement.GetProperty("title").GetString());
    }

    private Task<bool> PassesAsync(string path, string target)
    {
        _http.Context.SetEndpoint(new Endpoint(null, null, null));
        _http.Request.Path = path;
        _http.RawTarget = target;
        return TestHttp.PassesAsync(_http.Context, RequestTargetGuard.GuardAsync);
    }
}
