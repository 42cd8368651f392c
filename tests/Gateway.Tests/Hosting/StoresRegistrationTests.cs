using Gateway.Hosting;
using Gateway.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Hosting;

public class StoresRegistrationTests
{
    [Theory]
    [InlineData("media")]
    [InlineData("Media")]
    public void A_section_belongs_to_the_cluster_of_its_name(string name) =>
        Assert.Empty(FindFaults(($"Stores:{name}:Kind", "s3"), ($"Stores:{name}:Bucket", "acme"), ($"Stores:{name}:Region", "eu-central-1")));

    [Fact]
    public void Without_the_section_there_are_no_stores() => Assert.Empty(FindFaults());

    [Theory]
    [InlineData("Stores:other:Kind", "azure", "Stores:other: there is no cluster 'other'")]
    [InlineData("Stores:media:Bukket", "acme", "Stores:media:Bukket: ")]
    [InlineData("Stores:media:Kind", "swift", "Stores:media:Kind: ")]
    [InlineData("Stores:media:Region", "eu-central-1", "Stores:media:Kind: is required: s3, azure or gcs")]
    public void A_fault_names_the_key(string key, string value, string expected) =>
        Assert.StartsWith(expected, FindFaults((key, value))[0], StringComparison.Ordinal);

    [Fact]
    public void An_unknown_key_is_reported_without_its_value() =>
        Assert.DoesNotContain("SECRET", string.Concat(FindFaults(("Stores:media:Kind", "s3"), ("Stores:media:SecretKey2", "SECRET"))), StringComparison.Ordinal);

    private static IReadOnlyList<string> FindFaults(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Append(("ReverseProxy:Clusters:media:LoadBalancingPolicy", "Random")).Select(setting => KeyValuePair.Create<string, string?>(setting.Item1, setting.Item2)))
            .Build();
        return (Record.Exception(() => new ServiceCollection().AddStores(configuration)) as InvalidConfigurationException)?.Faults ?? [];
    }
}
