using System.Diagnostics;
using Gateway.Storage.Sources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;
using Testing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Storage.Tests.Sources;

public sealed class SourceIndexTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection()
        .AddLogging().AddRouting().AddSingleton(new DiagnosticListener("test")).BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Theory]
    [InlineData("media/a.txt", "media", "a.txt")]
    [InlineData("media/a/b", "media", "a/b")]
    [InlineData("media/", "media", "")]
    [InlineData("media//a", "media", "/a")]
    [InlineData("logs/media/a", "logs", "media/a")]
    public void The_first_segment_of_an_id_names_its_source(string id, string source, string key)
    {
        var located = Create(null, Route("media"), Route("logs")).Locate(id);

        Assert.Equal((source, key), (located!.Value.Source.Name, located.Value.Key));
    }

    [Theory]
    [InlineData("media")]
    [InlineData("other/a")]
    [InlineData("MEDIA/a")]
    [InlineData("/media/a")]
    [InlineData("")]
    public void Without_a_default_source_other_ids_lead_nowhere(string id) => Assert.Null(Create(null, Route("media")).Locate(id));

    [Theory]
    [InlineData("a", "logs", "a")]
    [InlineData("other/a", "logs", "other/a")]
    [InlineData("media", "logs", "media")]
    [InlineData("/a", "logs", "/a")]
    [InlineData("media/a", "media", "a")]
    [InlineData("logs/a", "logs", "a")]
    public void The_default_source_has_all_ids_whose_first_segment_is_no_source(string id, string source, string key)
    {
        var located = Create("logs", Route("media"), Route("logs")).Locate(id);

        Assert.Equal((source, key), (located!.Value.Source.Name, located.Value.Key));
    }

    [Fact]
    public void A_default_source_that_is_gone_has_no_ids() => Assert.Null(Create("gone", Route("media")).Locate("a"));

    [Fact]
    public void A_reload_is_seen_at_the_next_use()
    {
        var endpoints = new DataSource(Route("media"));
        var index = new SourceIndex(_services, new DefaultSource(null));
        index.Follow([endpoints]);
        Assert.Equal(["media"], index.All.Select(source => source.Name));

        endpoints.Replace(Route("logs"), Route("other"));

        Assert.Null(index.Find("media"));
        Assert.Equal(["logs", "other"], index.All.Select(source => source.Name).Order());
    }

    [Fact]
    public void Routes_that_are_no_sources_are_ignored()
    {
        var plain = new RouteEndpoint(_ => Task.CompletedTask, RoutePatternFactory.Parse("/x"), 0, null, null);

        Assert.Empty(Create(null, plain).All);
    }

    [Fact]
    public async Task An_object_below_a_more_specific_route_does_not_belong_to_its_source()
    {
        var secret = Endpoint("secret", "/media/secret/{**rest}", []);
        var index = Create(null, Route("media"), secret);
        var source = index.Find("media")!;

        Assert.True(await source.ServesAsync("public/a", TestClient.Create()));
        Assert.False(await source.ServesAsync("secret/a", TestClient.Create()));
        Assert.False(await source.ServesAsync("%73ecret/a", TestClient.Create()));
        Assert.False(await source.ServesAsync("/secret/a", TestClient.Create()));
        Assert.False(await source.ServesAsync("secret;p/a", TestClient.Create()));
    }

    [Fact]
    public async Task Without_rivals_every_key_belongs_to_its_source()
    {
        var index = Create(null, Route("media"), Route("logs"), Endpoint("other", "/other/{**rest}", []));

        Assert.True(await index.Find("media")!.ServesAsync("any//thing%2f;x", TestClient.Create()));
    }

    private SourceIndex Create(string? defaultSource, params RouteEndpoint[] endpoints)
    {
        var index = new SourceIndex(_services, new DefaultSource(defaultSource));
        index.Follow([new DataSource(endpoints)]);
        return index;
    }

    private static RouteEndpoint Route(string source) => Endpoint(source, $"/{source}/{{**key}}", new() { ["Bundle.Source"] = source });

    private static RouteEndpoint Endpoint(string id, string path, Dictionary<string, string> metadata)
    {
        var config = new RouteConfig { RouteId = id, Match = new RouteMatch { Path = path }, Metadata = metadata };
        return new RouteEndpoint(
            _ => Task.CompletedTask, RoutePatternFactory.Parse(path), 0, new EndpointMetadataCollection(new RouteModel(config, null, HttpTransformer.Default)), id);
    }

    private sealed class DataSource(params RouteEndpoint[] endpoints) : EndpointDataSource
    {
        private RouteEndpoint[] _endpoints = endpoints;
        private ConfigurationReloadToken _changed = new();

        public override IReadOnlyList<Endpoint> Endpoints => _endpoints;

        public override IChangeToken GetChangeToken() => _changed;

        public void Replace(params RouteEndpoint[] endpoints)
        {
            var old = _changed;
            (_endpoints, _changed) = (endpoints, new ConfigurationReloadToken());
            old.OnReload();
        }
    }
}
