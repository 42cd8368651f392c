using System.Text;
using Gateway.Archiving;
using Gateway.Requests;
using Gateway.Responses;

namespace Gateway.Tests.Requests;

public class BundleFieldsTests
{
    private const int MaxEntries = 5;
    private const string Known = "Known: ids, id, format, compression, missing, name, receipt; for a link also expiresIn and pin.";

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("?")]
    public void Without_parameters_everything_has_its_default(string? query)
    {
        var fields = BundleFields.FromQuery(query, MaxEntries);

        Assert.Empty(fields.Entries);
        Assert.Equal((ArchiveFormat.TarGz, null, MissingPolicy.Fail), (fields.Format, fields.Compression, fields.Missing));
        Assert.Equal(("bundle", false, null, false), (fields.FileName, fields.HasReceipt, fields.ExpiresIn, fields.Pin));
    }

    [Fact]
    public void Every_parameter_is_read()
    {
        var fields = BundleFields.FromQuery("?ids=s/a,s/b&id=s/c%2Cd&format=zip&compression=store&missing=skip&name=my+photos&receipt=true&expiresIn=60&pin=true", MaxEntries);

        Assert.Equal(["s/a", "s/b", "s/c,d"], fields.Entries.Select(entry => entry.Id));
        Assert.Equal((ArchiveFormat.Zip, Compression.Store, MissingPolicy.Skip), (fields.Format, fields.Compression, fields.Missing));
        Assert.Equal(("my photos", true, 60L, true), (fields.FileName, fields.HasReceipt, fields.ExpiresIn, fields.Pin));
    }

    [Theory]
    [InlineData("s/a", "s/a")]
    [InlineData("s/a,s/b", "s/a|s/b")]
    [InlineData("s/a,s/b,", "s/a|s/b")]
    [InlineData("s/a,s/b ", "s/a|s/b")]
    [InlineData("s/a,s/b, ", "s/a|s/b")]
    [InlineData("s/a%2Cs/b", "s/a|s/b")]
    [InlineData("s/a+b", "s/a b")]
    [InlineData("s/a%2Bb", "s/a+b")]
    [InlineData("s/a,,s/b", "s/a||s/b")]
    [InlineData("s/a,,", "s/a|")]
    [InlineData(",s/a", "|s/a")]
    [InlineData("s/a, s/b", "s/a| s/b")]
    [InlineData(",", "|")]
    [InlineData("", "")]
    [InlineData("s/a%0D%0As/b", "s/a\r\ns/b")]
    [InlineData("s/%C3%BC", "s/ü")]
    public void Ids_of_a_query_are_separated_by_commas_and_one_comma_or_space_at_the_end_is_ignored(string ids, string expected) =>
        Assert.Equal(expected.Split('|'), BundleFields.FromQuery($"?ids={ids}", MaxEntries).Entries.Select(entry => entry.Id));

    [Fact]
    public void Id_takes_one_id_with_all_its_commas_and_spaces()
    {
        var fields = BundleFields.FromQuery("?id=s/a,b,&id=s/c+", MaxEntries);

        Assert.Equal(["s/a,b,", "s/c "], fields.Entries.Select(entry => entry.Id));
    }

    [Theory]
    [InlineData("s/a\r\ns/b\r\n", "s/a|s/b")]
    [InlineData("s/a\ns/b", "s/a|s/b")]
    [InlineData("s/a\rs/b", "s/a|s/b")]
    [InlineData("\r\n\r\ns/a\r\n\r\n", "s/a")]
    [InlineData("s/a\r\n\r\ns/b", "s/a||s/b")]
    [InlineData("s/a,s/b\r\ns/c", "s/a|s/b|s/c")]
    [InlineData("s/a,s/b,\r\n", "s/a|s/b")]
    [InlineData("s/a\n\rs/b", "s/a||s/b")]
    public async Task Ids_of_a_form_are_also_separated_by_line_ends(string ids, string expected)
    {
        var fields = await FromFormAsync($"ids={Uri.EscapeDataString(ids)}");

        Assert.Equal(expected.Split('|'), fields.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task Fields_of_a_form_keep_their_order()
    {
        var fields = await FromFormAsync("ids=s/1&id=s/2&ids=s/3%0D%0As/4&format=tar");

        Assert.Equal(["s/1", "s/2", "s/3", "s/4"], fields.Entries.Select(entry => entry.Id));
        Assert.Equal(ArchiveFormat.Tar, fields.Format);
    }

    [Theory]
    [InlineData("compression=tiny", "compression: one of fast, small, store.")]
    [InlineData("compression=Fast", "compression: one of fast, small, store.")]
    [InlineData("missing=ignore", "missing: one of fail, skip, abort.")]
    [InlineData("format=rar", "format: one of tar.gz (or tgz), tar, tar.zst, zip.")]
    [InlineData("receipt=1", "receipt: true or false.")]
    [InlineData("receipt", "receipt: true or false.")]
    [InlineData("pin=True", "pin: true or false.")]
    [InlineData("expiresIn=-1", "expiresIn: a number of seconds.")]
    [InlineData("expiresIn=1.5", "expiresIn: a number of seconds.")]
    [InlineData("expiresIn=9223372036854775808", "expiresIn: a number of seconds.")]
    public void A_value_that_is_not_allowed_is_a_400_that_names_what_is(string query, string expected) =>
        AssertBadRequest(expected, () => BundleFields.FromQuery($"?{query}", MaxEntries));

    [Theory]
    [InlineData("fast", Compression.Fast)]
    [InlineData("small", Compression.Small)]
    [InlineData("store", Compression.Store)]
    public void Every_compression_has_a_name(string name, Compression expected) => Assert.Equal(expected, BundleFields.FromQuery($"?compression={name}", MaxEntries).Compression);

    [Theory]
    [InlineData("fail", nameof(MissingPolicy.Fail))]
    [InlineData("skip", nameof(MissingPolicy.Skip))]
    [InlineData("abort", nameof(MissingPolicy.Abort))]
    public void Every_policy_for_missing_objects_has_a_name(string name, string expected) =>
        Assert.Equal(expected, BundleFields.FromQuery($"?missing={name}", MaxEntries).Missing.ToString());

    [Theory]
    [InlineData("format")]
    [InlineData("compression")]
    [InlineData("missing")]
    [InlineData("name")]
    [InlineData("receipt")]
    [InlineData("expiresIn")]
    [InlineData("pin")]
    public void A_field_that_has_one_value_may_be_given_once(string field)
    {
        var value = field switch { "format" => "zip", "compression" => "fast", "missing" => "skip", "name" => "x", "expiresIn" => "1", _ => "true" };

        AssertBadRequest($"{field}: given more than once.", () => BundleFields.FromQuery($"?{field}={value}&{field}={value}", MaxEntries));
    }

    [Theory]
    [InlineData("Ids", "There is no parameter 'Ids'. Write 'ids'. ")]
    [InlineData("expiresin", "There is no parameter 'expiresin'. Write 'expiresIn'. ")]
    [InlineData("ids[]", "There is no parameter 'ids[]'. Write ids=a,b or repeat ids=. ")]
    [InlineData("id[0]", "There is no parameter 'id[0]'. Write ids=a,b or repeat ids=. ")]
    [InlineData("format[]", "There is no parameter 'format[]'. Write format=. ")]
    [InlineData("other", "There is no parameter 'other'. ")]
    [InlineData("other[]", "There is no parameter 'other[]'. ")]
    [InlineData("a%1Bb", "There is no parameter 'a\\u{001B}b'. ")]
    [InlineData("a2345678901234567890123456789012345678901", "There is no parameter 'a234567890123456789012345678901234567890…'. ")]
    public void An_unknown_parameter_is_shown_with_a_hint(string name, string expected) =>
        AssertBadRequest(expected + Known, () => BundleFields.FromQuery($"?{name}=x", MaxEntries));

    [Theory]
    [InlineData("?ids=s/%FC", "The parameter 'ids' is not UTF-8. Encode the text as UTF-8 first, then percent-encode it.")]
    [InlineData("?ids=a&%FC=x", "is not UTF-8. Encode the text as UTF-8 first, then percent-encode it.")]
    public void A_query_in_another_charset_is_a_400(string query, string expected)
    {
        var problem = Assert.Throws<BundleProblemException>(() => BundleFields.FromQuery(query, MaxEntries));

        Assert.Equal(400, problem.StatusCode);
        Assert.EndsWith(expected, problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ids=1,2,3,4,5", true)]
    [InlineData("ids=1,2,3,4,5,6", false)]
    [InlineData("ids=1,2,3&id=4&ids=5,6", false)]
    public void Reading_stops_at_the_first_entry_too_many(string query, bool isAccepted)
    {
        var failure = Record.Exception(() => BundleFields.FromQuery($"?{query}", MaxEntries));

        Assert.Equal(isAccepted, failure is null);
        Assert.True(failure is null or BundleProblemException { StatusCode: 413, Message: "A bundle holds at most 5 entries." });
    }

    [Theory]
    [InlineData("{\"entries\":[]}")]
    [InlineData("\r\n\t [\"s/a\"]")]
    public Task JSON_that_is_sent_as_a_form_is_recognized(string body) =>
        AssertBadFormAsync("The body is JSON, but its Content-Type is that of a form. Send Content-Type: application/json.", body);

    [Fact]
    public Task A_form_in_another_charset_is_a_400() =>
        AssertBadFormAsync("The form is not UTF-8. Encode the text as UTF-8 first, then percent-encode it.", "ids=s/%FC");

    [Fact]
    public Task A_field_with_a_very_long_name_is_a_400() =>
        AssertBadFormAsync("The form cannot be read: a field or its name is too long.", $"{new string('a', 65)}=x");

    [Fact]
    public async Task A_form_may_be_a_part_of_a_larger_buffer()
    {
        var bytes = Encoding.UTF8.GetBytes("xxids=s/ayy");

        var fields = await BundleFields.FromFormAsync(new ArraySegment<byte>(bytes, 2, bytes.Length - 4), MaxEntries);

        Assert.Equal("s/a", Assert.Single(fields.Entries).Id);
    }

    [Fact]
    public void A_manifest_fills_the_same_fields()
    {
        var fields = BundleFields.FromManifest("""{"format":"tar","entries":[{"id":"s/a","name":"b","size":7}]}"""u8, MaxEntries);

        Assert.Equal(ArchiveFormat.Tar, fields.Format);
        Assert.Equal(new RequestedEntry("s/a", "b", 7), Assert.Single(fields.Entries));
    }

    [Theory]
    [InlineData("ids", true)]
    [InlineData("pin", true)]
    [InlineData("IDS", false)]
    [InlineData("utm_source", false)]
    public void Only_the_gateway_s_own_names_are_parameters(string name, bool expected) => Assert.Equal(expected, BundleFields.IsParameter(name));

    private static void AssertBadRequest(string message, Action read)
    {
        var problem = Assert.Throws<BundleProblemException>(read);
        Assert.Equal((400, message), (problem.StatusCode, problem.Message));
    }

    private static async Task AssertBadFormAsync(string message, string body)
    {
        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => FromFormAsync(body));
        Assert.Equal((400, message), (problem.StatusCode, problem.Message));
    }

    private static Task<BundleFields> FromFormAsync(string body) => BundleFields.FromFormAsync(Encoding.UTF8.GetBytes(body), MaxEntries);
}
