using Gateway.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Tests.Server;

public class RequestBodyDrainTests
{
    [Theory]
    [InlineData(false, null)]
    [InlineData(true, 100L)]
    public async Task After_the_response_the_server_may_read_any_rest_unless_the_body_was_already_read(bool isReadOnly, long? expected)
    {
        var http = new DefaultHttpContext();
        var limit = new Limit { IsReadOnly = isReadOnly };
        http.Features.Set<IHttpMaxRequestBodySizeFeature>(limit);

        await RequestBodyDrain.AllowAsync(http, _ =>
        {
            Assert.Equal(100, limit.MaxRequestBodySize);
            return Task.CompletedTask;
        });

        Assert.Equal(expected, limit.MaxRequestBodySize);
    }

    private sealed class Limit : IHttpMaxRequestBodySizeFeature
    {
        public bool IsReadOnly { get; init; }

        public long? MaxRequestBodySize { get; set; } = 100;
    }
}
