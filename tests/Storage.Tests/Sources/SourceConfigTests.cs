using Gateway.Storage.Sources;
using Yarp.ReverseProxy.Configuration;

namespace Storage.Tests.Sources;

public class SourceConfigTests
{
    private const string KnownKeys = "known: Bundle.Source, Bundle.Internal, Bundle.ForwardAuthorization, Bundle.ForbiddenIsMissing, Bundle.Encoded, Bundle.List, Bundle.Headers";

    [Fact]
    public void A_route_with_a_name_is_a_source()
    {
        var (source, faults) = Parse(Route("/objects/v1/{**key}", ("Bundle.Source", "media")));

        Assert.Empty(faults);
        Assert.Equal(("media", "/objects/v1/", "key", 1), (source!.Name, source.Path, source.KeyParameter, source.ParallelRanges));
        Assert.Empty(source.Headers);
        Assert.False(source.Decodes);
        Assert.False(source.ForbiddenIsMissing);
    }

    [Fact]
    public void Its_metadata_and_that_of_its_cluster_are_read()
    {
        var cluster = new ClusterConfig { ClusterId = "c", Metadata = new Dictionary<string, string> { ["Bundle.ParallelRanges"] = "8" } };
        var route = Route("/{*rest}", ("Bundle.Source", "media"), ("Bundle.Encoded", "decode"), ("Bundle.ForbiddenIsMissing", "True"), ("Bundle.Headers", "X-Tenant"));
        var faults = new List<string>();

        var source = SourceConfig.Parse(route, cluster, faults)!;

        Assert.Equal(("/", "rest", 8), (source.Path, source.KeyParameter, source.ParallelRanges));
        Assert.Equal(["X-Tenant"], source.Headers);
        Assert.True(source.Decodes);
        Assert.True(source.ForbiddenIsMissing);
    }

    [Fact]
    public void A_route_without_a_name_is_no_source_but_its_metadata_is_checked()
    {
        Assert.Null(Parse(Route("/a")).Source);

        var (source, faults) = Parse(Route("/a", ("Bundle.Internal", "maybe"), ("Other", "x")));

        Assert.Null(source);
        Assert.Equal(["ReverseProxy:Routes:r:Metadata:Bundle.Internal: 'maybe' is neither true nor false"], faults);
    }

    [Theory]
    [InlineData("Bundle.Sorce", "x", "Bundle.Sorce: unknown key; " + KnownKeys)]
    [InlineData("bundle.internal", "true", "bundle.internal: unknown key; " + KnownKeys)]
    [InlineData("Bundle.ForbiddenIsMissing", "", "Bundle.ForbiddenIsMissing: '' is neither true nor false")]
    [InlineData("Bundle.ForwardAuthorization", "1", "Bundle.ForwardAuthorization: '1' is neither true nor false")]
    [InlineData("Bundle.Encoded", "Decode", "Bundle.Encoded: 'Decode' is neither store nor decode")]
    [InlineData("Bundle.Headers", "Range", "Bundle.Headers: 'Range' cannot be forwarded from clients")]
    public void A_wrong_key_or_value_is_an_error_and_no_source(string key, string value, string expected)
    {
        var (source, faults) = Parse(Route("/s/{**key}", ("Bundle.Source", "s"), (key, value)));

        Assert.Null(source);
        Assert.Equal([$"ReverseProxy:Routes:r:Metadata:{expected}"], faults);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("A-z_0.9", true)]
    [InlineData("...", true)]
    [InlineData("", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("grüße", false)]
    public void A_name_has_letters_digits_and_three_marks(string name, bool isValid)
    {
        var (source, faults) = Parse(Route("/s/{**key}", ("Bundle.Source", name)));

        Assert.Equal(isValid ? name : null, source?.Name);
        Assert.Equal(isValid ? [] : [$"ReverseProxy:Routes:r:Metadata:Bundle.Source: '{name}' is not a source name; use 1-64 characters of A-Z a-z 0-9 - _ ."], faults);
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void A_name_has_at_most_64_characters(int length, bool isValid) =>
        Assert.Equal(isValid, Parse(Route("/s/{**key}", ("Bundle.Source", new string('a', length)))).Source is not null);

    [Theory]
    [InlineData("/s/{**key}", "/s/")]
    [InlineData("s/{*key}", "/s/")]
    [InlineData("/{**key}", "/")]
    [InlineData("/a/b.c/{**key}", "/a/b.c/")]
    [InlineData("/s", null)]
    [InlineData("/s/{key}", null)]
    [InlineData("/{tenant}/{**key}", null)]
    [InlineData("/a{x}/{**key}", null)]
    [InlineData("/s/a{**key}", null)]
    [InlineData("/s/{**key", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void A_path_has_literal_segments_and_a_catch_all(string? path, string? prefix)
    {
        var (source, faults) = Parse(Route(path, ("Bundle.Source", "s")));

        Assert.Equal(prefix, source?.Path);
        Assert.Equal(prefix is not null ? [] : ["ReverseProxy:Routes:r:Match:Path: a source needs literal segments and a catch-all for the key, like '/s/{**key}'"], faults);
    }

    [Fact]
    public void A_source_is_matched_by_its_path_alone()
    {
        var byHost = new RouteMatch { Path = "/s/{**key}", Hosts = ["a"] };
        var byHeader = new RouteMatch { Path = "/s/{**key}", Headers = [new RouteHeader { Name = "X" }] };
        var byQuery = new RouteMatch { Path = "/s/{**key}", QueryParameters = [new RouteQueryParameter { Name = "x" }] };

        Assert.All(
            new[] { byHost, byHeader, byQuery },
            match => Assert.Equal(["ReverseProxy:Routes:r:Match: a source must match by path only; bundles ignore Hosts, Headers and QueryParameters"], Parse(Source(match)).Faults));
    }

    [Fact]
    public void A_source_is_read_with_GET()
    {
        Assert.Empty(Parse(Source(new RouteMatch { Path = "/s/{**key}", Methods = ["HEAD", "get"] })).Faults);

        var (source, faults) = Parse(Source(new RouteMatch { Path = "/s/{**key}", Methods = ["HEAD"] }));

        Assert.Null(source);
        Assert.Equal(["ReverseProxy:Routes:r:Match:Methods: a source is read with GET, which is missing"], faults);
    }

    [Fact]
    public void All_errors_of_a_route_are_reported_together()
    {
        var (source, faults) = Parse(Route("/s", ("Bundle.Source", "a b"), ("Bundle.Encoded", "x"), ("Bundle.X", "")));

        Assert.Null(source);
        Assert.Equal(4, faults.Count);
    }

    [Theory]
    [InlineData("Bundle.ParallelRanges", "0", "'0' is not a number from 1 to 32")]
    [InlineData("Bundle.ParallelRanges", "33", "'33' is not a number from 1 to 32")]
    [InlineData("Bundle.ParallelRanges", "+4", "'+4' is not a number from 1 to 32")]
    [InlineData("Bundle.Concurrency", "0", "'0' is not a number from 1 to 10000")]
    [InlineData("Bundle.Concurrency", "10001", "'10001' is not a number from 1 to 10000")]
    [InlineData("Bundle.Concurrency", "", "'' is not a number from 1 to 10000")]
    [InlineData("Bundle.Source", "s", "unknown key; known: Bundle.ParallelRanges, Bundle.Concurrency")]
    public void A_wrong_value_of_a_cluster_is_an_error(string key, string value, string expected)
    {
        var faults = new List<string>();

        SourceConfig.CheckCluster(new ClusterConfig { ClusterId = "c", Metadata = new Dictionary<string, string> { [key] = value } }, faults);

        Assert.Equal([$"ReverseProxy:Clusters:c:Metadata:{key}: {expected}"], faults);
    }

    [Fact]
    public void A_cluster_without_metadata_or_with_valid_metadata_has_no_errors()
    {
        var faults = new List<string>();

        SourceConfig.CheckCluster(new ClusterConfig { ClusterId = "c" }, faults);
        SourceConfig.CheckCluster(
            new ClusterConfig { ClusterId = "c", Metadata = new Dictionary<string, string> { ["Bundle.ParallelRanges"] = "32", ["Bundle.Concurrency"] = "10000", ["Other"] = "x" } }, faults);

        Assert.Empty(faults);
    }

    [Theory]
    [InlineData("1", 1)]
    [InlineData("10000", 10_000)]
    [InlineData("10001", null)]
    [InlineData("many", null)]
    [InlineData(null, null)]
    public void Without_a_valid_limit_concurrency_is_adaptive(string? text, int? expected) =>
        Assert.Equal(expected, SourceConfig.GetConcurrency(text is null ? null : new Dictionary<string, string> { ["Bundle.Concurrency"] = text }));

    private static RouteConfig Source(RouteMatch match) => new() { RouteId = "r", Match = match, Metadata = new Dictionary<string, string> { ["Bundle.Source"] = "s" } };

    private static RouteConfig Route(string? path, params (string Key, string Value)[] metadata) =>
        new() { RouteId = "r", Match = new RouteMatch { Path = path }, Metadata = metadata.ToDictionary(pair => pair.Key, pair => pair.Value) };

    private static (SourceConfig? Source, List<string> Faults) Parse(RouteConfig route)
    {
        var faults = new List<string>();
        return (SourceConfig.Parse(route, null, faults), faults);
    }
}
