using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Testing;

namespace Gateway.FunctionalTests.Doors;

/// <summary>What endpoints say about themselves, from which an OpenAPI document can be generated.</summary>
public sealed class EndpointMetadataTests
{
    [Fact]
    public async Task Every_endpoint_has_a_name_a_summary_and_the_types_of_its_responses()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();

        var endpoints = gateway.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/bundle", StringComparison.Ordinal)).ToArray();

        Assert.Equal(
            ["CreateLink", "FollowLink", "GetBundle", "ListFolder", "PlanBundle", "PostBundle"],
            endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName).Order());
        Assert.All(endpoints, endpoint =>
        {
            var statuses = endpoint.Metadata.OfType<IProducesResponseTypeMetadata>().ToDictionary(response => response.StatusCode, response => response.ContentTypes.FirstOrDefault());
            Assert.NotEmpty(endpoint.Metadata.GetMetadata<IEndpointSummaryMetadata>()!.Summary);
            Assert.Contains(statuses, status => status.Key is 200 or 201);
            Assert.Equal("application/problem+json", statuses[404]);
        });
    }
}
