using System.Net;
using Testing;

namespace Gateway.FunctionalTests.Health;

public class HealthTests
{
    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    public async Task Load_balancers_may_use_GET_and_HEAD_and_the_response_must_not_be_cached(string path)
    {
        await using var upstream = new ScriptedUpstream();
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head })
        {
            using var response = await gateway.Client.SendAsync(new HttpRequestMessage(method, path));

            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.True(response.Headers.CacheControl!.NoStore);
        }
    }

    [Theory]
    [InlineData(false, HttpStatusCode.OK)]
    [InlineData(true, HttpStatusCode.ServiceUnavailable)]
    public async Task Unavailable_storage_makes_the_gateway_unready_only_if_it_is_required(bool isRequired, HttpStatusCode expected)
    {
        var configuration = GatewayUnderTest.Configuration(("s", ["http://127.0.0.1:1/"]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:Passive:Enabled", true);
        GatewayUnderTest.Set(configuration, "ReverseProxy:Clusters:s:HealthCheck:Passive:Policy", "TransportFailureRate");
        if (isRequired)
        {
            GatewayUnderTest.Set(configuration, "Bundle:Ready:RequiredClusters:0", "s");
        }

        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/health/ready")).StatusCode);

        // Enough refused connections for passive health checks.
        for (var i = 0; i < 4; i++)
        {
            await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");
        }

        Assert.Equal(expected, (await gateway.Client.GetAsync("/health/ready")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/health/live")).StatusCode);
    }
}
