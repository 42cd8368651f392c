using Gateway.Hosting;
using Microsoft.Extensions.Configuration;

namespace Gateway.Tests.Hosting;

public class BundleOptionsTests
{
    [Fact]
    public void The_defaults_are_valid() => Assert.Empty(Validate());

    [Theory]
    [InlineData("Limits:MaxEntries", "0")]
    [InlineData("Limits:MaxEntries", "1000001")]
    [InlineData("Limits:MaxActive", "0")]
    [InlineData("Limits:MaxQueued", "-1")]
    [InlineData("Upstream:Attempts", "0")]
    [InlineData("Upstream:Attempts", "101")]
    [InlineData("Upstream:StallTimeout", "00:00:00")]
    [InlineData("Upstream:RangeBytes", "1")]
    [InlineData("Memory:MaxBytes", "-1")]
    [InlineData("Client:StallTimeout", "00:00:00")]
    [InlineData("Client:MinRate", "-1")]
    [InlineData("Compression:Workers", "257")]
    [InlineData("Compression:Default", "99")]
    [InlineData("Resume:KeepFor", "00:00:59")]
    [InlineData("Links:Lifetime", "31.00:00:00")]
    [InlineData("Links:Keys:0", "short")]
    [InlineData("Links:MaxBytesPerClient", "999999999")]
    [InlineData("Drain:Delay", "00:10:01")]
    public void A_value_out_of_its_range_is_one_fault_that_names_the_option(string key, string value)
    {
        var fault = Assert.Single(Validate((key, value)));

        Assert.Contains(key.Split(':')[1], fault, StringComparison.Ordinal);
    }

    [Fact]
    public void All_faults_are_reported_together() => Assert.Equal(3, Validate(("Limits:MaxEntries", "0"), ("Drain:Delay", "01:00:00"), ("Upstream:Attempts", "0")).Length);

    private static string[] Validate(params (string Key, string Value)[] values)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(one => one.Key, one => (string?)one.Value)).Build();
        var options = new BundleOptions();
        configuration.Bind(options);
        return [.. new BundleOptionsValidator().Validate(null, options).Failures ?? []];
    }
}
