using System.Text.Json;
using Gateway.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Tests.Server;

public class RequestUriLimitTests
{
    private readonly TestHttp _http = new();

    [Theory]
    [InlineData("GET", 85, true)]
    [InlineData("GET", 86, false)]
    [InlineData("POST", 84, true)]
    [InlineData("POST", 85, false)]
    public async Task A_request_line_has_at_most_so_many_bytes(string method, int target, bool isAccepted)
    {
        // "GET", two spaces, "HTTP/1.1" and the line's end are 15 bytes.
        var limit = new RequestUriLimit(lineSize: 100);
        _http.Request.Method = method;
        _http.RawTarget = new string('a', target);

        var passes = await TestHttp.PassesAsync(_http.Context, limit.GuardAsync);

        Assert.Equal(isAccepted, passes);
        Assert.Equal(isAccepted ? 200 : 414, _http.Response.StatusCode);
    }

    [Fact]
    public async Task A_longer_line_is_answered_with_the_alternative()
    {
        _http.Request.Method = "GET";
        _http.RawTarget = new string('a', 200);

        await new RequestUriLimit(100).GuardAsync(_http.Context, _ => Task.CompletedTask);

        Assert.Equal(
            "The request line has 215 bytes; at most 100 are allowed. Send a longer request as the body of a POST: a manifest or a form.",
            JsonDocument.Parse(_http.Body).RootElement.GetProperty("title").GetString());
    }

    [Theory]
    [InlineData(8192, 1 << 20, 32_768)]
    [InlineData(8192, 16_384, 16_384)]
    [InlineData(8192, 8192, 8192)]
    [InlineData(8192, null, 32_768)]
    [InlineData(1 << 30, null, int.MaxValue)]
    public void The_server_accepts_four_times_as_much_as_far_as_its_buffer_allows(int lineSize, int? bufferSize, int expected)
    {
        var limits = new KestrelServerLimits { MaxRequestBufferSize = null, MaxRequestLineSize = lineSize };
        limits.MaxRequestBufferSize = bufferSize;

        RequestUriLimit.Widen(limits);

        Assert.Equal(expected, limits.MaxRequestLineSize);
    }
}
