using Gateway.Archiving;
using Gateway.Plans;
using Gateway.Requests;
using Gateway.Storage.Objects;
using Gateway.Storage.Sources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Testing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Tests;

/// <summary>Requests, entries and plans without a host. Every part has a default, and a test states what matters to it.</summary>
internal static class TestBundle
{
    public static readonly DateTimeOffset Modified = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    /// <summary>The source of all entries that name no other one.</summary>
    public static readonly Source DefaultSource = Source();

    /// <summary>A source at the path of its name.</summary>
    public static Source Source(string name = "s", string[]? headers = null, bool decodes = false, int parallelRanges = 1)
    {
        var route = new RouteModel(new RouteConfig { RouteId = name, Match = new RouteMatch { Path = $"/{name}/{{**key}}" } }, null, HttpTransformer.Default);
        return new Source(
            new SourceConfig(name, $"/{name}/", "key", parallelRanges, headers ?? []) { Decodes = decodes },
            new RouteEndpoint(_ => Task.CompletedTask, RoutePatternFactory.Parse($"/{name}/{{**key}}"), 0, new EndpointMetadataCollection(route), name),
            route,
            matcher: null);
    }

    public static ObjectHead Head(long? size = 100, string? etag = "\"v1\"") => new(size, etag, Modified);

    /// <summary>The entry <c>s/a</c>, checked and found.</summary>
    public static PlannedEntry Entry(string name = "s/a", ObjectHead? head = null, int index = 0, Source? source = null, ClientContext? client = null) =>
        new(index, name, name, new ObjectRequest(source ?? DefaultSource, name, client ?? TestClient.Create()), head ?? Head()) { IsChecked = true };

    public static PlannedEntry MissingEntry(string name, int index) => Entry(name, index: index) with { Head = null, IsMissing = true };

    public static BundleRequest Request(
        bool hasReceipt = false, MissingPolicy missing = MissingPolicy.Fail, ArchiveFormat format = ArchiveFormat.Tar, Compression compression = Compression.Fast, params RequestedEntry[] entries) =>
        new(entries, new ArchiveRecipe(format, compression), missing, "bundle", hasReceipt);

    /// <summary>The plan of a tar.</summary>
    public static BundlePlan Plan(params PlannedEntry[] entries) => BundlePlan.Create(Request(), entries);

    public static BundlePlan PlanWithReceipt(params PlannedEntry[] entries) => BundlePlan.Create(Request(hasReceipt: true), entries);
}
