using Gateway.Storage;
using Gateway.Storage.Stores;
using Gateway.Storage.Stores.Dialects;
using Yarp.ReverseProxy.Configuration;

namespace Storage.Tests.Stores;

public class StoreAddressFilterTests
{
    private const string Where = "ReverseProxy:Clusters:media:Destinations:one:Address: ";

    private static StoreOptions S3 => new() { Kind = StoreKind.S3, Bucket = "acme", Region = "eu-central-1" };

    [Theory]
    [InlineData("https://acme.s3.eu-central-1.amazonaws.com/")]
    [InlineData("https://minio.example.com/acme/prefix/")]
    [InlineData("http://localhost:9000/acme/")]
    [InlineData("http://127.0.0.1:9000/acme/")]
    [InlineData("http://[::1]:9000/acme/")]
    public async Task An_address_with_the_bucket_and_TLS_is_accepted(string address) => Assert.Null(await FindFaultsAsync(S3, address));

    [Theory]
    [InlineData(null, "a store needs an address with http or https")]
    [InlineData("minio/acme", "a store needs an address with http or https")]
    [InlineData("file:///acme/", "a store needs an address with http or https")]
    [InlineData("ftp://acme.example.com/", "a store needs an address with http or https")]
    [InlineData("https://minio/acme/?x=1", "a store's address has no query and no user")]
    [InlineData("https://user:pass@minio/acme/", "a store's address has no query and no user")]
    [InlineData("https://minio/other/", "does not contain the bucket 'acme': neither as 'acme.' before the host, nor as the first segment of the path")]
    [InlineData("http://minio/acme/", "signed requests need https, unless AllowPlainHttp is set")]
    public async Task Any_other_address_is_a_fault_that_does_not_repeat_it(string? address, string expected)
    {
        var faults = await FindFaultsAsync(S3, address);

        Assert.Equal([Where + expected], faults);
    }

    public static TheoryData<string, Action<StoreOptions>, string?> PlainHttp => new()
    {
        { "permitted", options => options.AllowPlainHttp = true, null },
        { "public", options => options.Credentials = StoreCredentials.None, null },
        { "HMAC, permitted", options => (options.Kind, options.AccessKey, options.AllowPlainHttp) = (StoreKind.Gcs, "GOOG", true), null },
        { "token", options => (options.Kind, options.AllowPlainHttp) = (StoreKind.Gcs, true), "tokens and shared access signatures may only be sent with https" },
        { "SAS", options => (options.Kind, options.Sas, options.AllowPlainHttp) = (StoreKind.Azure, "s", true), "tokens and shared access signatures may only be sent with https" },
        { "customer's key", options => (options.CustomerKeyFile, options.AllowPlainHttp) = ("f", true), "a customer's key may only be sent with https" },
        { "customer's key of a public bucket", options => (options.CustomerKeyFile, options.Credentials) = ("f", StoreCredentials.None), "a customer's key may only be sent with https" },
    };

    [Theory]
    [MemberData(nameof(PlainHttp))]
    public async Task Without_TLS_only_signatures_may_be_sent_and_only_if_the_operator_permits_it(string name, Action<StoreOptions> change, string? expected)
    {
        var options = S3;
        change(options);

        var faults = await FindFaultsAsync(options, "http://minio/acme/");

        Assert.True(expected is null ? faults is null : faults is [var fault] && fault == Where + expected, $"{name}: {faults?[0]}");
    }

    // Health checks are signed too.
    [Theory]
    [InlineData("http://minio/acme/", "signed requests need https, unless AllowPlainHttp is set")]
    [InlineData("https://minio/", "does not contain the bucket 'acme': neither as 'acme.' before the host, nor as the first segment of the path")]
    [InlineData("https://minio/acme/", null)]
    [InlineData("", null)]
    public async Task The_address_of_health_checks_obeys_the_same_rules(string health, string? expected)
    {
        var destination = new DestinationConfig { Address = "https://minio/acme/", Health = health };

        var faults = await FindFaultsAsync(S3, destination);

        Assert.Equal(expected is null ? null : $"ReverseProxy:Clusters:media:Destinations:one:Health: {expected}", faults?.Single());
    }

    [Fact]
    public async Task All_faults_of_all_destinations_are_reported_at_once()
    {
        var cluster = new ClusterConfig
        {
            ClusterId = "media",
            Destinations = new Dictionary<string, DestinationConfig> { ["one"] = new() { Address = "http://minio/other/?q" }, ["two"] = new() { Address = "https://minio/" } },
        };

        var failure = await Assert.ThrowsAsync<InvalidConfigurationException>(() => Filter(S3).ConfigureClusterAsync(cluster, CancellationToken.None).AsTask());

        Assert.Equal(["one", "one", "one", "two"], failure.Faults.Select(fault => fault.Split(':')[4]));
    }

    [Fact]
    public async Task A_cluster_that_is_no_store_may_have_any_address()
    {
        var cluster = new ClusterConfig { ClusterId = "other", Destinations = new Dictionary<string, DestinationConfig> { ["one"] = new() { Address = "http://other/?q" } } };

        Assert.Same(cluster, await Filter(S3).ConfigureClusterAsync(cluster, CancellationToken.None));
    }

    [Theory]
    [InlineData("media", "https://minio/acme/", "true", true)]
    [InlineData("other", "file:///data/", "true", true)]
    [InlineData("other", "FILE:///data/", "True", true)]
    [InlineData("other", "http://other/", "false", true)]
    [InlineData("other", "http://other/", "yes", true)]
    [InlineData("other", "http://other/", "true", false)]
    public async Task Only_folders_and_stores_can_be_listed(string cluster, string address, string lists, bool isValid)
    {
        var route = new RouteConfig { RouteId = "r", ClusterId = cluster, Metadata = new Dictionary<string, string> { ["Bundle.List"] = lists } };
        var config = new ClusterConfig { ClusterId = cluster, Destinations = new Dictionary<string, DestinationConfig> { ["one"] = new() { Address = address } } };

        var failure = await Record.ExceptionAsync(() => Filter(S3).ConfigureRouteAsync(route, config, CancellationToken.None).AsTask());

        Assert.Equal(isValid ? null : "ReverseProxy:Routes:r:Metadata:Bundle.List: only folders and stores (section Stores) can be listed", (failure as InvalidConfigurationException)?.Faults.Single());
    }

    private static Task<IReadOnlyList<string>?> FindFaultsAsync(StoreOptions options, string? address) => FindFaultsAsync(options, new DestinationConfig { Address = address! });

    private static async Task<IReadOnlyList<string>?> FindFaultsAsync(StoreOptions options, DestinationConfig destination)
    {
        var cluster = new ClusterConfig { ClusterId = "media", Destinations = new Dictionary<string, DestinationConfig> { ["one"] = destination } };
        try
        {
            await Filter(options).ConfigureClusterAsync(cluster, CancellationToken.None);
            return null;
        }
        catch (InvalidConfigurationException e)
        {
            return e.Faults;
        }
    }

    private static StoreAddressFilter Filter(StoreOptions options) =>
        new(new StoreCatalogue(new Dictionary<string, StoreOptions> { ["media"] = options }, () => false, (_, _) => { }, TimeProvider.System));
}
