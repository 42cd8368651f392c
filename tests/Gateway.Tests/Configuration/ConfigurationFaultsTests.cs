using Gateway.Access;
using Gateway.Configuration;
using Gateway.Hosting;
using Gateway.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Configuration;

public class ConfigurationFaultsTests
{
    [Fact]
    public void A_valid_section_has_no_faults() =>
        Assert.Empty(Find(
            ("Bundle:DefaultSource", "s"),
            ("Bundle:Limits:MaxEntries", "5"),
            ("bundle:limits:maxbytes", "5000000000"),
            ("Bundle:Upstream:StallTimeout", "00:00:30"),
            ("Bundle:Compression:Default", "store"),
            ("Bundle:Compression:Encoder", "ISAL"),
            ("Bundle:Names:Portable", "False"),
            ("Bundle:Links:Keys:0", "x"),
            ("Bundle:Ready:RequiredClusters:0", "c"),
            ("Bundle:Limits:MaxActive", "")));

    [Theory]
    [InlineData("Bundle:Limits:MaxEntries", "many", "'many' is not a whole number in range")]
    [InlineData("Bundle:Limits:MaxEntries", "1.5", "'1.5' is not a whole number in range")]
    [InlineData("Bundle:Limits:MaxEntries", "5000000000", "'5000000000' is not a whole number in range")]
    [InlineData("Bundle:Upstream:StallTimeout", "30s", "'30s' is not a time span like 00:00:30")]
    [InlineData("Bundle:Names:Portable", "yes", "'yes' is not true or false")]
    [InlineData("Bundle:Compression:Default", "best", "'best' is not one of fast, small, store")]
    [InlineData("Bundle:Limits", "5", "is a section, not a value")]
    [InlineData("Bundle:Links:Keys", "secret", "is a list, not a value; its first item is Bundle:Links:Keys:0")]
    [InlineData("Bundle:Resume:KeepForever", "true", "unknown key; known: KeepFor")]
    public void A_wrong_value_is_reported_with_its_key(string key, string value, string expected) => Assert.Equal([$"{key}: {expected}"], Find((key, value)));

    [Fact]
    public void A_computed_property_is_no_setting()
    {
        var fault = Assert.Single(Find(("Bundle:Upstream:SmallObject", "5")));

        Assert.StartsWith("Bundle:Upstream:SmallObject: unknown key; known: FirstByteTimeout, ", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("SmallObject,", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void All_faults_are_found_together() =>
        Assert.Equal(3, Find(("Bundle:Limits:MaxEntries", "x"), ("Bundle:Limits:Other", "x"), ("Bundle:Names:Portable", "x")).Count);

    [Fact]
    public void The_values_of_a_dictionary_are_sections()
    {
        var faults = ConfigurationFaults.Find<CorsSettings>(Section("Cors", ("Cors:Policies:web:Origins:0", "https://a"), ("Cors:Policies:web:MaxAge", "x"), ("Cors:Policies:web:Origin", "y")));

        Assert.Equal(
            ["Cors:Policies:web:MaxAge: 'x' is not a time span like 00:00:30", "Cors:Policies:web:Origin: unknown key; known: Origins, Methods, Headers, ExposedHeaders, Credentials, MaxAge; did you mean Origins?"],
            faults.Order());
    }

    [Fact]
    public void An_exception_is_reduced_to_the_lines_that_an_operator_needs()
    {
        Assert.Equal(["a", "b"], ConfigurationFaults.From(new OptionsValidationException("x", typeof(object), ["a", "b"])));
        Assert.Equal(["c"], ConfigurationFaults.From(new InvalidOperationException("outer", new InvalidConfigurationException(["c"]))));
        Assert.Equal(["a", "d"], ConfigurationFaults.From(new AggregateException(new InvalidConfigurationException(["a"]), new IOException("d"))));
        Assert.Equal(["one two"], ConfigurationFaults.From(new FormatException("one\r\ntwo")));
    }

    [Fact]
    public void A_list_of_values_is_returned_in_its_order() => Assert.Equal(["a", "b"], ConfigurationFaults.RequireList(Section("List", ("List:0", "a"), ("List:1", "b"))));

    public static TheoryData<string, string> WrongLists => new() { { "List", "a" }, { "List:0", "" }, { "List:0:x", "a" }, { "Other", "a" } };

    [Theory]
    [MemberData(nameof(WrongLists))]
    public void Anything_else_is_refused_without_repeating_it(string key, string value)
    {
        var fault = Assert.Throws<InvalidOperationException>(() => ConfigurationFaults.RequireList(Section("List", (key, value))));

        Assert.Equal("List: must be a non-empty list of values", fault.Message);
    }

    private static List<string> Find(params (string Key, string Value)[] values) => ConfigurationFaults.Find<BundleOptions>(Section("Bundle", values));

    private static IConfigurationSection Section(string name, params (string Key, string Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(one => one.Key, one => (string?)one.Value)).Build().GetSection(name);
}
