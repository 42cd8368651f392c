using Gateway.Storage;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>An invalid configuration of a store ends the start, with one line for each error.</summary>
public class StoreConfigurationTests
{
    private const string Secret = "secret-of-the-operator";

    private static readonly string Existing = typeof(StoreConfigurationTests).Assembly.Location;

    private static readonly (string, object?)[] NoKeys = [("Stores:s:AccessKey", null), ("Stores:s:SecretKey", null)];

    public static TheoryData<string, string> Faults => new()
    {
        { "unknown key", "Stores:s:Regoin: unknown key; known: " },
        { "unknown cluster", "Stores:other: there is no cluster 'other'" },
        { "no kind", "Stores:s:Kind: is required: s3, azure or gcs" },
        { "wrong kind", "Stores:s:Kind: " },
        { "no bucket", "Stores:s:Bucket: is required: the name of a bucket or container" },
        { "bucket with a slash", "Stores:s:Bucket: is required: the name of a bucket or container" },
        { "no region", "Stores:s:Region: is required, because requests are signed for it" },
        { "no secret", "Stores:s:AccessKey: this or AccessKeyFile is required together with SecretKey or SecretKeyFile" },
        { "two secrets", "Stores:s:SecretKeyFile: SecretKey is set too; use one of them" },
        { "missing file", "Stores:s:SecretKeyFile: the file does not exist" },
        { "azure keys", "Stores:s:AccountKey: does not apply to s3" },
        { "gcs key", "Stores:s:ServiceAccountFile: does not apply to s3" },
        { "external id", "Stores:s:ExternalId: applies only together with AssumeRole" },
        { "wrong flag", "Stores:s:Checksums: the value is not true or false" },
        { "secret under a wrong key", "Stores:s:Kind: the value is not one of s3, azure, gcs" },
        { "bucket not in the address", "ReverseProxy:Clusters:s:Destinations:d0:Address: does not contain the bucket 'bucket'" },
        { "plain http", "ReverseProxy:Clusters:s:Destinations:d0:Address: signed requests need https, unless AllowPlainHttp is set" },
        { "customer key over http", "ReverseProxy:Clusters:s:Destinations:d0:Address: a customer's key may only be sent with https" },
        { "address with a user", "ReverseProxy:Clusters:s:Destinations:d0:Address: a store's address has no query and no user" },
        { "address with a query", "ReverseProxy:Clusters:s:Destinations:d0:Address: a store's address has no query and no user" },
        { "folder", "ReverseProxy:Clusters:s:Destinations:d0:Address: a store needs an address with http or https" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task An_error_ends_the_start_with_one_line_that_contains_no_secret(string mistake, string expected)
    {
        var address = mistake switch
        {
            "bucket not in the address" => "https://storage.example/other/",
            "plain http" => "http://storage.example/bucket/",
            "customer key over http" => "http://127.0.0.1:9/bucket/",
            "address with a user" => $"https://user:{Secret}@storage.example/bucket/",
            "address with a query" => $"https://storage.example/bucket/?sig={Secret}",
            "folder" => "file:/tmp/",
            _ => "https://bucket.storage.example/",
        };
        (string, object?)[] settings = [("Stores:s:SecretKey", Secret), .. Mistake(mistake)];

        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayUnderTest.StartAsync(StoreGateway.Configure(address, "bucket", settings)));

        Assert.StartsWith(expected, Assert.Single(fault.Faults), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, fault.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_errors_are_reported_together()
    {
        var configuration = StoreGateway.Configure(
            "https://bucket.storage.example/", "bucket", ("Stores:s:Region", null), ("Stores:s:SecretKey", null), ("Stores:s:Account", "account"), ("Stores:s:ExternalId", "id"));

        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayUnderTest.StartAsync(configuration));

        Assert.Equal(
            ["Stores:s:Account", "Stores:s:AccessKey", "Stores:s:ExternalId", "Stores:s:Region"],
            fault.Faults.Select(line => string.Join(':', line.Split(':')[..3])).OrderBy(line => line is "Stores:s:Account" ? 0 : 1).ThenBy(line => line, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("http://storage.example/bucket/", true)]
    [InlineData("http://127.0.0.1:9/bucket/prefix/", false)]
    [InlineData("https://bucket.storage.example/", false)]
    [InlineData("https://BUCKET.storage.example/prefix/", false)]
    public async Task A_valid_address_starts(string address, bool allowsPlainHttp)
    {
        var configuration = StoreGateway.Configure(address, "bucket", ("Stores:s:AllowPlainHttp", allowsPlainHttp), ("Upstream:FirstByteTimeout", TimeSpan.FromSeconds(1)));

        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        Assert.Equal(System.Net.HttpStatusCode.OK, (await StoreGateway.ReadAsync(gateway, "/health/live")).Status);
    }

    [Fact]
    public async Task A_reload_to_an_address_without_the_bucket_changes_nothing()
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", 1000, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store);

        await gateway.ReloadAsync(StoreGateway.Configure($"{store.Address}another/", store.Bucket));
        await Eventually.TrueAsync(() => gateway.Outcomes.Lines.Any(line => line.Contains("does not contain the bucket", StringComparison.Ordinal)), "the error is logged");

        Assert.Equal(body, (await StoreGateway.ReadAsync(gateway, "/s/a")).Bytes);
        Assert.Empty(store.Refused);
    }

    private static (string, object?)[] Mistake(string mistake) => mistake switch
    {
        "unknown key" => [("Stores:s:Regoin", "eu")],
        "unknown cluster" => [("Stores:other:Kind", "s3"), ("Stores:other:Bucket", "b"), ("Stores:other:Credentials", "none")],
        "no kind" => [("Stores:s:Kind", null)],
        "wrong kind" => [("Stores:s:Kind", "ftp")],
        "no bucket" => [("Stores:s:Bucket", null)],
        "bucket with a slash" => [("Stores:s:Bucket", "a/b")],
        "no region" => [("Stores:s:Region", null)],
        "no secret" => [("Stores:s:SecretKey", null)],
        "two secrets" => [("Stores:s:SecretKeyFile", Existing)],
        "missing file" => [("Stores:s:SecretKey", null), ("Stores:s:SecretKeyFile", "/nonexistent/secret")],
        "azure keys" => [("Stores:s:AccountKey", Secret)],
        "gcs key" => [.. NoKeys, ("Stores:s:ServiceAccountFile", Existing)],
        "external id" => [("Stores:s:ExternalId", Secret)],
        "secret under a wrong key" => [("Stores:s:Kind", Secret)],
        "wrong flag" => [("Stores:s:Checksums", "maybe")],
        "customer key over http" => [("Stores:s:CustomerKeyFile", Existing)],
        _ => [],
    };
}
