using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Stores.AzureBlobs;
using Gateway.Storage.Stores.Dialects;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Time.Testing;

namespace Storage.Tests.Stores.AzureBlobs;

public sealed class AzureDialectTests : IDisposable
{
    private const string AccountKey = "QUNDT1VOVEtFWQ==";
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly FakeTimeProvider _time = new(Now);
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task A_SAS_of_the_account_key_may_only_read_and_list_blobs_for_an_hour()
    {
        var dialect = Create(options => (options.Account, options.AccountKey) = ("account", AccountKey));

        var query = QueryHelpers.ParseQuery((await AuthorizeAsync(dialect)).Query);

        Assert.Equal(("rl", "co", "b"), (query["sp"].ToString(), string.Concat(query["srt"].ToString().Order()), query["ss"].ToString()));
        Assert.Equal(("2026-01-02T02:59:05Z", "2026-01-02T04:04:05Z"), (query["st"].ToString(), query["se"].ToString()));
        Assert.Equal(["se", "sig", "sp", "srt", "ss", "st", "sv"], query.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_signature_of_a_SAS_covers_what_it_permits()
    {
        var dialect = Create(options => (options.Account, options.AccountKey) = ("account", AccountKey));

        var query = QueryHelpers.ParseQuery((await AuthorizeAsync(dialect)).Query);

        // "Construct the signature string" of an account SAS, version 2020-12-06 and later.
        var text = string.Concat(new string?[] { "account", query["sp"], query["ss"], query["srt"], query["st"], query["se"], "", "", query["sv"], "" }.Select(line => $"{line}\n"));
        Assert.Equal(Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(AccountKey), Encoding.UTF8.GetBytes(text))), query["sig"].ToString());
    }

    [Fact]
    public async Task A_SAS_is_renewed_after_half_an_hour()
    {
        var dialect = Create(options => (options.Account, options.AccountKey) = ("account", AccountKey));
        var first = await AuthorizeAsync(dialect);

        _time.Advance(TimeSpan.FromMinutes(29.9));
        var same = await AuthorizeAsync(dialect);
        _time.Advance(TimeSpan.FromMinutes(0.1));
        var renewed = QueryHelpers.ParseQuery((await AuthorizeAsync(dialect)).Query)["se"].ToString();

        Assert.Equal(first, same);
        Assert.Equal(Now + TimeSpan.FromMinutes(90), DateTimeOffset.Parse(renewed, CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_rejected_SAS_is_created_again_from_the_current_key()
    {
        await File.WriteAllTextAsync(_file, AccountKey);
        var dialect = Create(options => (options.Account, options.AccountKeyFile) = ("account", _file));
        var first = await AuthorizeAsync(dialect);
        await File.WriteAllTextAsync(_file, "T1RIRVI=");

        var before = await AuthorizeAsync(dialect);
        dialect.ForgetCredential();
        var after = await AuthorizeAsync(dialect);

        Assert.Equal(first, before);
        Assert.NotEqual(QueryHelpers.ParseQuery(first.Query)["sig"], QueryHelpers.ParseQuery(after.Query)["sig"]);
    }

    [Fact]
    public async Task An_account_key_that_is_not_Base64_is_no_credential_and_is_not_shown()
    {
        var dialect = Create(options => (options.Account, options.AccountKey) = ("account", "SECRET!"));

        var failure = await Assert.ThrowsAsync<StorageException>(() => AuthorizeAsync(dialect));

        Assert.Equal((FailureReason.NoCredential, "The account key is not Base64."), (failure.Reason, failure.LogDetail));
        Assert.DoesNotContain("SECRET", failure.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sv=1&sig=a%2Bb%3D", "", "?sv=1&sig=a%2Bb%3D")]
    [InlineData("?sv=1&sig=a%2Bb%3D", "", "?sv=1&sig=a%2Bb%3D")]
    [InlineData("?sv=1&sig=a%2Bb%3D", "?comp=list&prefix=a%2F", "?comp=list&prefix=a%2F&sv=1&sig=a%2Bb%3D")]
    public async Task A_given_SAS_follows_the_query(string sas, string query, string expected)
    {
        var dialect = Create(options => options.Sas = sas);

        var address = await AuthorizeAsync(dialect, query);

        Assert.Equal($"https://account.blob.core.windows.net/acme/a%20b%2B{expected}", address.AbsoluteUri);
    }

    [Fact]
    public async Task A_SAS_of_a_file_is_replaced_with_it()
    {
        await File.WriteAllTextAsync(_file, "?sig=one\n");
        var dialect = Create(options => options.SasFile = _file);
        var first = await AuthorizeAsync(dialect);
        await File.WriteAllTextAsync(_file, "sig=two");

        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(("?sig=one", "?sig=two"), (first.Query, (await AuthorizeAsync(dialect)).Query));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_request_states_the_version_of_the_protocol(bool isPublic)
    {
        var message = Message();

        await Create(options => (options.Credentials, options.Sas) = isPublic ? (StoreCredentials.None, null) : (StoreCredentials.Keys, "sig=s")).AuthorizeAsync(message, CancellationToken.None);

        Assert.Equal("2023-11-03", StubStore.Read(message).Header("x-ms-version"));
        Assert.Null(message.Headers.Authorization);
        Assert.Equal(isPublic ? "" : "?sig=s", message.RequestUri!.Query);
    }

    [Fact]
    public void A_customers_key_is_sent_with_its_SHA_256()
    {
        File.WriteAllText(_file, "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
        var message = Message();

        Create(options => (options.Sas, options.CustomerKeyFile) = ("s", _file)).Prepare(message, StoreRequestKind.Entry);

        var read = StubStore.Read(message);
        Assert.Equal(("AES256", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="), (read.Header("x-ms-encryption-algorithm"), read.Header("x-ms-encryption-key")));
        Assert.Equal("cs1uhCLEB/ttCYaQ8RMLfe1+wvf14dML2dUh8BU2N5M=", read.Header("x-ms-encryption-key-sha256"));
    }

    [Fact]
    public void A_customers_key_that_is_not_Base64_is_no_credential()
    {
        File.WriteAllText(_file, "not Base64!");

        var failure = Assert.Throws<StorageException>(() => Create(options => (options.Sas, options.CustomerKeyFile) = ("s", _file)).Prepare(Message(), StoreRequestKind.Entry));

        Assert.Equal((FailureReason.NoCredential, "The customer's key is not 256 bits in Base64."), (failure.Reason, failure.LogDetail));
    }

    [Theory]
    [InlineData("a b/ü", false, null, "?restype=container&comp=list&include=metadata&maxresults=7&prefix=a%20b%2F%C3%BC")]
    [InlineData("a&b/", true, "2!92!/+=", "?restype=container&comp=list&include=metadata&maxresults=7&prefix=a%26b%2F&delimiter=%2F&marker=2%2192%21%2F%2B%3D")]
    public void A_page_is_requested_with_every_value_escaped(string prefix, bool isOneLevel, string? token, string expected) =>
        Assert.Equal(expected, Create(options => options.Sas = "s").GetListingQuery(prefix, new ListingRequest(isOneLevel, 7, token)));

    [Fact]
    public void A_version_is_requested_by_its_escaped_id() =>
        Assert.Equal("?versionid=2026-01-02T03%3A04%3A05.1234567Z", Create(options => options.Sas = "s").GetVersionQuery("2026-01-02T03:04:05.1234567Z"));

    [Theory]
    [InlineData("Archive", "Archive")]
    [InlineData("Cool", null)]
    [InlineData(null, null)]
    public void A_blob_in_the_archive_tier_must_be_restored(string? tier, string? expected)
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("x-ms-access-tier", tier is null ? [] : [tier]);

        Assert.Equal(expected, Create(options => options.Sas = "s").FindArchiveClass(response));
    }

    private static HttpRequestMessage Message(string query = "") => new(HttpMethod.Get, $"https://account.blob.core.windows.net/acme/a%20b%2B{query}");

    private static async Task<Uri> AuthorizeAsync(AzureDialect dialect, string query = "")
    {
        var message = Message(query);
        await dialect.AuthorizeAsync(message, CancellationToken.None);
        return message.RequestUri!;
    }

    private AzureDialect Create(Action<StoreOptions> change)
    {
        var options = new StoreOptions { Kind = StoreKind.Azure, Bucket = "acme" };
        change(options);
        return new AzureDialect(options, _time);
    }
}
