using System.Net;
using Gateway.Storage.Sources;
using Microsoft.AspNetCore.Http;

namespace Storage.Tests.Sources;

public class ClientContextTests
{
    [Fact]
    public void It_has_what_forwarded_headers_need_and_the_client_s_own_headers()
    {
        var http = CreateRequest();

        var client = ClientContext.From(http);

        Assert.Equal(("https", "gateway:8443", IPAddress.Loopback, "t1"), (client.Scheme, client.Host.Value, client.Address, client.TraceIdentifier));
        Assert.Same(http.User, client.User);
        Assert.Equal("a", client.Headers["X-Tenant"]);
    }

    [Fact]
    public void A_client_with_the_rights_of_a_link_has_no_headers()
    {
        var client = ClientContext.FromWithoutHeaders(CreateRequest());

        Assert.Empty(client.Headers);
        Assert.Throws<InvalidOperationException>(() => client.Headers["X-Tenant"] = "b");
    }

    private static DefaultHttpContext CreateRequest()
    {
        var http = new DefaultHttpContext { TraceIdentifier = "t1" };
        http.Request.Scheme = "https";
        http.Request.Host = new HostString("gateway", 8443);
        http.Request.Headers["X-Tenant"] = "a";
        http.Connection.RemoteIpAddress = IPAddress.Loopback;
        return http;
    }
}
