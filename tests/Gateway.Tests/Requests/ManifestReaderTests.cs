using System.Text;
using Gateway.Requests;
using Gateway.Responses;

namespace Gateway.Tests.Requests;

public class ManifestReaderTests
{
    private const string Fields = "known: name, format, compression, missing, receipt, entries, expiresIn, pin";
    private const string EntryFields = "known: id, name, size, etag, sha256";

    [Fact]
    public void Every_field_is_read()
    {
        var manifest = Read(
            """
            {"name":"n","format":"zip","compression":"small","missing":"skip","receipt":true,"expiresIn":60,"pin":true,
             "entries":[{"id":"s/a"},{"id":"s/b","name":"b","size":7,"etag":"\"v\"","sha256":"00"}]}
            """);

        Assert.Equal(("n", "zip", "small", "skip"), (manifest.Name, manifest.Format, manifest.Compression, manifest.Missing));
        Assert.Equal((true, 60L, true), (manifest.Receipt, manifest.ExpiresIn, manifest.Pin));
        Assert.Equal(
            [("s/a", null, null, null, null), ("s/b", "b", 7L, "\"v\"", "00")],
            manifest.Entries!.Select(entry => (entry.Id!, entry.Name, entry.Size, entry.ETag, entry.Sha256)));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("\uFEFF{}")]
    [InlineData(" \r\n\t{ } \n")]
    [InlineData("""{"name":null,"format":null,"compression":null,"missing":null,"expiresIn":null}""")]
    public void A_field_that_is_missing_or_null_has_no_value(string json)
    {
        var manifest = Read(json);

        Assert.Equal((null, null, null, null), (manifest.Name, manifest.Format, manifest.Compression, manifest.Missing));
        Assert.Equal((false, null, false, null), (manifest.Receipt, manifest.ExpiresIn, manifest.Pin, manifest.Entries));
    }

    [Theory]
    [InlineData("""{"n\u0061me":"x"}""", "x")]
    [InlineData("""{"name":"\ud83d\ude00\/"}""", "😀/")]
    public void Escapes_are_decoded_in_names_and_values(string json, string expected) => Assert.Equal(expected, Read(json).Name);

    [Theory]
    [InlineData("")]
    [InlineData(" \t\r\n")]
    [InlineData("\uFEFF")]
    public void An_empty_body_is_answered_with_an_example(string json) =>
        AssertBadRequest("The body is empty. A manifest is expected, for example {\"entries\":[{\"id\":\"source/key\"}]}.", json);

    [Theory]
    [InlineData("[]", "$: an object with 'entries' is expected (line 1, byte 1)")]
    [InlineData("\n  5", "$: an object with 'entries' is expected (line 2, byte 3)")]
    [InlineData("{\"ids\":[]}", "$.ids: unknown field; " + Fields + " (line 1, byte 2)")]
    [InlineData("{\"Name\":\"x\"}", "$.Name: unknown field; " + Fields + " (line 1, byte 2)")]
    [InlineData("{\"\\u200b\":1}", "$.\\u{200B}: unknown field; " + Fields + " (line 1, byte 2)")]
    [InlineData("{\"name\":5}", "$.name: a string is expected (line 1, byte 9)")]
    [InlineData("{\"format\":true}", "$.format: a string is expected (line 1, byte 11)")]
    [InlineData("{\"compression\":[]}", "$.compression: a string is expected (line 1, byte 16)")]
    [InlineData("{\"missing\":{}}", "$.missing: a string is expected (line 1, byte 12)")]
    [InlineData("{\"receipt\":\"true\"}", "$.receipt: true or false is expected (line 1, byte 12)")]
    [InlineData("{\"receipt\":null}", "$.receipt: true or false is expected (line 1, byte 12)")]
    [InlineData("{\"pin\":1}", "$.pin: true or false is expected (line 1, byte 8)")]
    [InlineData("{\"expiresIn\":1.5}", "$.expiresIn: a whole number of seconds is expected (line 1, byte 14)")]
    [InlineData("{\"expiresIn\":9223372036854775808}", "$.expiresIn: a whole number of seconds is expected (line 1, byte 14)")]
    [InlineData("{\"expiresIn\":\"60\"}", "$.expiresIn: a whole number of seconds is expected (line 1, byte 14)")]
    [InlineData("{\"entries\":null}", "$.entries: an array of objects is expected, each with an id (line 1, byte 12)")]
    [InlineData("{\"entries\":{}}", "$.entries: an array of objects is expected, each with an id (line 1, byte 12)")]
    [InlineData("{\"entries\":[\"s/a\"]}", "$.entries[0]: an object with an id is expected, for example {\"id\":\"source/key\"} (line 1, byte 13)")]
    [InlineData("{\"entries\":[\n{\"id\":\"s/a\"},\n{\"name\":\"x\"}]}", "$.entries[1]: an object with an id is expected (line 3, byte 1)")]
    [InlineData("{\"entries\":[{\"id\":null}]}", "$.entries[0]: an object with an id is expected (line 1, byte 13)")]
    [InlineData("{\"entries\":[{\"id\":7}]}", "$.entries[0].id: a string is expected (line 1, byte 19)")]
    [InlineData("{\"entries\":[{\"id\":\"s/a\",\n\"size\":\"7\"}]}", "$.entries[0].size: a whole number of bytes is expected (line 2, byte 8)")]
    [InlineData("{\"entries\":[{\"id\":\"s/a\",\"url\":\"x\"}]}", "$.entries[0].url: unknown field; " + EntryFields + " (line 1, byte 25)")]
    [InlineData("{\"name\":\"a\",\r\n \"name\":\"b\"}", "$.name: duplicate field (line 2, byte 2)")]
    [InlineData("{\"name\":\"a\",\"n\\u0061me\":\"b\"}", "$.name: duplicate field (line 1, byte 13)")]
    [InlineData("{\"entries\":[{\"id\":\"a\",\"id\":\"b\"}]}", "$.entries[0].id: duplicate field (line 1, byte 23)")]
    [InlineData("{\"name\":\"\\ud800\"}", "$.name: an unpaired surrogate is not a character (line 1, byte 9)")]
    [InlineData("{\"entries\":[{\"\\udc00\":1}]}", "$.entries[0]: an unpaired surrogate is not a character (line 1, byte 14)")]
    [InlineData("\uFEFF{\"name\":5}", "$.name: a string is expected (line 1, byte 9)")]
    [InlineData("{\"name\":\"üü\",\"pin\":5}", "$.pin: true or false is expected (line 1, byte 22)")]
    public void An_error_names_the_path_the_expectation_the_line_and_the_byte(string json, string expected) =>
        AssertBadRequest($"The manifest cannot be read: {expected}.", json);

    [Theory]
    [InlineData("{", 1, 2)]
    [InlineData("{\"name\":}", 1, 9)]
    [InlineData("{\"name\":\"x\",}", 1, 13)]
    [InlineData("{\n\"name\":'x'}", 2, 8)]
    [InlineData("{} {}", 1, 4)]
    [InlineData("{}]", 1, 3)]
    [InlineData("// comment\n{}", 1, 1)]
    [InlineData("{\"entries\":[{\"id\":\"a\"},]}", 1, 24)]
    [InlineData("hello", 1, 1)]
    public void What_is_not_JSON_is_reported_with_the_place_of_the_error(string json, int line, int at) =>
        AssertBadRequest($"The manifest is not JSON: syntax error in line {line}, byte {at}.", json);

    [Fact]
    public void A_manifest_in_another_charset_is_a_400()
    {
        var problem = Assert.Throws<BundleProblemException>(() => ManifestReader.Read([(byte)'{', 0xFC, (byte)'}'], 1));

        Assert.Equal((400, "The manifest is not UTF-8."), (problem.StatusCode, problem.Message));
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public void Reading_stops_at_the_first_entry_too_many(int maxEntries, bool isAccepted)
    {
        var json = Encoding.UTF8.GetBytes("""{"entries":[{"id":"a"},{"id":"b"},{"id":"c"}]}""");

        var failure = Record.Exception(() => ManifestReader.Read(json, maxEntries));

        Assert.Equal(isAccepted, failure is null);
        Assert.True(failure is null or BundleProblemException { StatusCode: 413, Message: "A bundle holds at most 2 entries." });
    }

    [Fact]
    public void What_follows_the_entries_is_not_read_once_there_are_too_many()
    {
        var json = Encoding.UTF8.GetBytes("""{"entries":[{"id":"a"},{"id":"b"},this is not JSON""");

        Assert.Equal(413, Assert.Throws<BundleProblemException>(() => ManifestReader.Read(json, 1)).StatusCode);
    }

    [Fact]
    public void Deep_nesting_costs_nothing_because_no_field_has_objects_below_its_entries()
    {
        var json = "{\"entries\":[" + new string('[', 100_000);

        AssertBadRequest("The manifest cannot be read: $.entries[0]: an object with an id is expected, for example {\"id\":\"source/key\"} (line 1, byte 13).", json);
    }

    [Fact]
    public void A_client_cannot_choose_a_version_and_a_link_can()
    {
        const string Json = """{"entries":[{"id":"s/a","version":"v1"}]}""";

        var manifest = ManifestReader.ReadLink(Encoding.UTF8.GetBytes(Json), 1);

        Assert.Equal("v1", manifest.Entries!.Single().Version);
        AssertBadRequest($"The manifest cannot be read: $.entries[0].version: unknown field; {EntryFields} (line 1, byte 25).", Json);
    }

    private static void AssertBadRequest(string message, string json)
    {
        var problem = Assert.Throws<BundleProblemException>(() => Read(json));
        Assert.Equal((400, message), (problem.StatusCode, problem.Message));
    }

    private static BundleManifest Read(string json) => ManifestReader.Read(Encoding.UTF8.GetBytes(json), maxEntries: 10);
}
