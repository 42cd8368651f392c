using Gateway.Storage.Sources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Configuration;

namespace Storage.Tests.Sources;

public class InternalRoutesTests
{
    [Theory]
    [InlineData(null, false)]
    [InlineData("false", false)]
    [InlineData(" False ", false)]
    [InlineData("true", true)]
    [InlineData("", true)]
    [InlineData("no", true)]
    [InlineData("0", true)]
    public async Task Every_value_except_a_valid_false_hides_the_route(string? value, bool isHidden)
    {
        var route = new RouteConfig { RouteId = "r", Match = new RouteMatch(), Metadata = value is null ? null : new Dictionary<string, string> { ["Bundle.Internal"] = value } };
        var conventions = new Conventions();
        InternalRoutes.Mark(conventions, route);
        var context = new DefaultHttpContext();
        context.SetEndpoint(conventions.Build());

        Endpoint? found = null;
        await InternalRoutes.HideAsync(context, next =>
        {
            found = next.GetEndpoint();
            return Task.CompletedTask;
        });

        Assert.Equal(isHidden, found is null);
    }

    private sealed class Conventions : IEndpointConventionBuilder
    {
        private readonly Builder _builder = new();

        public void Add(Action<EndpointBuilder> convention) => convention(_builder);

        public Endpoint Build() => _builder.Build();

        private sealed class Builder : EndpointBuilder
        {
            public override Endpoint Build() => new(null, new EndpointMetadataCollection(Metadata), null);
        }
    }
}
