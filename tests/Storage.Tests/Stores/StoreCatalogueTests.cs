using Gateway.Storage.Failures;
using Gateway.Storage.Stores;
using Gateway.Storage.Stores.Dialects;
using Microsoft.Extensions.Time.Testing;

namespace Storage.Tests.Stores;

public class StoreCatalogueTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<(string Store, FailureReason Reason)> _failures = [];

    [Fact]
    public void A_cluster_is_a_store_if_it_has_a_section()
    {
        var catalogue = Create(new() { Kind = StoreKind.S3, Bucket = "acme", Credentials = StoreCredentials.None });

        Assert.Equal(["media"], catalogue.Clusters);
        Assert.Equal("acme", catalogue.Find("media")?.Bucket);
        Assert.Equal("acme", catalogue.Find("MEDIA")?.Bucket);
        Assert.Null(catalogue.Find("other"));
    }

    [Fact]
    public void The_connections_of_other_clusters_stay_as_they_are()
    {
        using var connections = new StubStore();

        Assert.Same(connections, Create(new() { Kind = StoreKind.S3 }).Wrap("other", connections));
    }

    [Theory]
    [InlineData(StoreKind.S3, "/acme?list-type=2&encoding-type=url&max-keys=1&prefix=&delimiter=%2F", null)]
    [InlineData(StoreKind.Azure, "/acme?restype=container&comp=list&include=metadata&maxresults=1&prefix=&delimiter=%2F", "2023-11-03")]
    [InlineData(StoreKind.Gcs, "/acme?list-type=2&encoding-type=url&max-keys=1&prefix=&delimiter=%2F", null)]
    public async Task Each_kind_speaks_its_own_protocol(StoreKind kind, string path, string? version)
    {
        var connections = new StubStore();
        using var client = new HttpMessageInvoker(Create(new() { Kind = kind, Bucket = "acme", Credentials = StoreCredentials.None }).Wrap("media", connections));

        (await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, "https://store/acme/"), CancellationToken.None)).Dispose();

        Assert.Equal((path, version), (connections.Request.Path, connections.Request.Header("x-ms-version")));
    }

    [Fact]
    public async Task A_failure_is_reported_with_the_name_of_the_store()
    {
        var connections = new StubStore { Respond = _ => StubStore.Error(404, "NoSuchBucket") };
        using var client = new HttpMessageInvoker(Create(new() { Kind = StoreKind.S3, Bucket = "acme", Credentials = StoreCredentials.None }).Wrap("media", connections));

        (await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, "https://store/acme/"), CancellationToken.None)).Dispose();

        Assert.Equal([("media", FailureReason.BucketMissing)], _failures);
    }

    [Fact]
    public async Task Connections_before_and_after_a_reload_share_the_credential()
    {
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, "sig=one");
        var catalogue = Create(new() { Kind = StoreKind.Azure, Bucket = "acme", SasFile = path });
        var (before, after) = (new StubStore(), new StubStore());
        using var old = new HttpMessageInvoker(catalogue.Wrap("media", before));
        (await old.SendAsync(new HttpRequestMessage(HttpMethod.Get, "https://store/acme/"), CancellationToken.None)).Dispose();
        File.Delete(path);

        using var reloaded = new HttpMessageInvoker(catalogue.Wrap("Media", after));
        _time.Advance(TimeSpan.FromMinutes(1));
        (await reloaded.SendAsync(new HttpRequestMessage(HttpMethod.Get, "https://store/acme/"), CancellationToken.None)).Dispose();

        Assert.EndsWith("&sig=one", after.Request.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void The_faults_of_all_sections_are_found()
    {
        var stores = new Dictionary<string, StoreOptions> { ["a"] = new(), ["b"] = new() { Kind = StoreKind.Azure } };

        var faults = StoreCatalogue.FindFaults(stores);

        Assert.Equal(["Stores:a:Kind: is required: s3, azure or gcs", "Stores:b:Bucket: is required: the name of a bucket or container"], faults);
    }

    private StoreCatalogue Create(StoreOptions options) =>
        new(new Dictionary<string, StoreOptions>(StringComparer.OrdinalIgnoreCase) { ["media"] = options }, () => false, (store, failure) => _failures.Add((store, failure.Reason)), _time);
}
