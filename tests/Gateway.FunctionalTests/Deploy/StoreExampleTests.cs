using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Testing;

namespace Gateway.FunctionalTests.Deploy;

/// <summary>The examples of stores work as pasted: only the address and the credentials are those of a server on this machine.</summary>
public sealed partial class StoreExampleTests(SharedStores stores)
{
    private static readonly string[] Examples = [.. JsonBlock().Matches(File.ReadAllText(Path.Combine(DeployTests.Root, "docs/stores.md"))).Select(match => match.Groups[1].Value)];

    [Theory]
    [InlineData(0, "s3")]
    [InlineData(1, "s3")]
    [InlineData(3, "gcs")]
    public async Task An_example_of_S3_or_Google_serves_a_folder_from_Ceph(int example, string kind)
    {
        var rados = await stores.Rados;
        var configuration = JsonNode.Parse(Examples[example])!.AsObject();
        await rados.Client.CreateBucketAsync("acme-media");
        await rados.Client.PutAsync("acme-media", [("2026/a.txt", "one"u8.ToArray()), ("2026/b/c.txt", "two"u8.ToArray())]);
        await UseAsync(configuration, "media", kind, $"{rados.Address}acme-media/", ("AccessKey", RadosGateway.AccessKey), ("SecretKey", RadosGateway.SecretKey));
    }

    [Fact]
    public async Task The_example_of_Azure_serves_a_folder_from_Azurite()
    {
        var azurite = await stores.Azurite;
        var configuration = JsonNode.Parse(Examples[2])!.AsObject();
        await azurite.CreateContainerAsync("acme-media");
        await azurite.PutAsync("acme-media", "2026/a.txt", "one"u8.ToArray());
        await azurite.PutAsync("acme-media", "2026/b/c.txt", "two"u8.ToArray());
        await UseAsync(configuration, "media", "azure", $"{azurite.Address}acme-media/", ("Account", AzuriteServer.Account), ("AccountKey", AzuriteServer.AccountKey));
    }

    [Fact]
    public async Task The_configuration_in_deploy_serves_a_folder_from_Ceph()
    {
        var rados = await stores.Rados;
        var configuration = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(DeployTests.Root, "deploy/s3.json")))!.AsObject();
        await rados.Client.CreateBucketAsync("objects");
        await rados.Client.PutAsync("objects", [("2026/a.txt", "one"u8.ToArray()), ("2026/b/c.txt", "two"u8.ToArray())]);
        await UseAsync(configuration, "objects", "s3", $"{rados.Address}objects/", ("AccessKey", RadosGateway.AccessKey), ("SecretKey", RadosGateway.SecretKey));
    }

    [Fact]
    public void README_names_the_same_addresses_and_sections_as_the_examples()
    {
        var readme = File.ReadAllText(Path.Combine(DeployTests.Root, "README.md"));

        foreach (var example in new[] { 0, 2, 3 }.Select(i => JsonNode.Parse(Examples[i])!))
        {
            Assert.Contains(example["ReverseProxy"]!["Clusters"]!["media"]!["Destinations"]!["one"]!["Address"]!.GetValue<string>(), readme, StringComparison.Ordinal);
            Assert.Contains(readme.Split('`'), code => code.StartsWith("{ \"media\"", StringComparison.Ordinal) && JsonNode.DeepEquals(JsonNode.Parse(code), example["Stores"]));
        }
    }

    private static async Task UseAsync(JsonObject configuration, string source, string kind, string address, params (string Key, string Value)[] keys)
    {
        var (cluster, store) = configuration["Stores"]!.AsObject().Single();
        Assert.Equal(kind, store!["Kind"]!.GetValue<string>());
        store.AsObject().Remove("SecretKeyFile");
        foreach (var (key, value) in keys)
        {
            store[key] = value;
        }

        configuration["ReverseProxy"]!["Clusters"]![cluster]!["Destinations"]!.AsObject().Single().Value!["Address"] = address;
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        var entries = (await Download.GetAsync(gateway.Client, $"/bundle?ids={source}/")).RequireWhole();

        Assert.Equal([$"{source}/2026/a.txt", $"{source}/2026/b/c.txt"], entries.Keys.Order());
        Assert.Equal("two"u8.ToArray(), entries[$"{source}/2026/b/c.txt"]);
    }

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();
}
