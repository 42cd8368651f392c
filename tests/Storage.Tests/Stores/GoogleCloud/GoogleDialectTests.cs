using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Stores.Dialects;
using Gateway.Storage.Stores.GoogleCloud;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Storage.Tests.Stores.GoogleCloud;

public sealed class GoogleDialectTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task An_HMAC_key_signs_like_S3()
    {
        var message = Message();

        await Create(options => (options.AccessKey, options.SecretKey) = ("GOOG1E", "SECRET")).AuthorizeAsync(message, CancellationToken.None);

        Assert.Null(new SignatureV4("GOOG1E", "SECRET", "auto") { Clock = _time }.Verify(StubStore.Read(message)));
    }

    [Fact]
    public async Task An_HMAC_key_may_sign_for_a_configured_region()
    {
        var message = Message();

        await Create(options => (options.AccessKey, options.SecretKey, options.Region) = ("GOOG1E", "SECRET", "europe-west3")).AuthorizeAsync(message, CancellationToken.None);

        Assert.Null(new SignatureV4("GOOG1E", "SECRET", "europe-west3") { Clock = _time }.Verify(StubStore.Read(message)));
    }

    [Fact]
    public async Task A_public_bucket_is_read_without_a_credential()
    {
        var message = Message();

        await Public().AuthorizeAsync(message, CancellationToken.None);

        Assert.Empty(message.Headers);
    }

    [Fact]
    public async Task A_service_account_that_cannot_be_read_is_no_credential_and_is_not_shown()
    {
        await File.WriteAllTextAsync(_file, """{"type":"service_account","private_key":"SECRET"}""");
        var dialect = Create(options => options.ServiceAccountFile = _file);

        var failure = await Assert.ThrowsAsync<StorageException>(() => dialect.AuthorizeAsync(Message(), CancellationToken.None).AsTask());

        Assert.Equal(FailureReason.NoCredential, failure.Reason);
        Assert.StartsWith("Google service account: ", failure.LogDetail, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", failure + failure.LogDetail, StringComparison.Ordinal);
    }

    // Google decompresses an object that is stored as gzip for a client that does not accept it.
    [Theory]
    [InlineData((int)StoreRequestKind.Entry, "gzip")]
    [InlineData((int)StoreRequestKind.Direct, "identity")]
    [InlineData((int)StoreRequestKind.Listing, "identity")]
    public void An_entry_is_requested_as_it_is_stored(int kind, string expected)
    {
        var message = Message();
        message.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");

        Public().Prepare(message, (StoreRequestKind)kind);

        Assert.Equal(expected, StubStore.Read(message).Header("Accept-Encoding"));
    }

    [Fact]
    public void A_customers_key_is_sent_with_its_SHA_256()
    {
        File.WriteAllText(_file, "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
        var message = Message();

        Create(options => (options.Credentials, options.CustomerKeyFile) = (StoreCredentials.None, _file)).Prepare(message, StoreRequestKind.Direct);

        var read = StubStore.Read(message);
        Assert.Equal(("AES256", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="), (read.Header("x-goog-encryption-algorithm"), read.Header("x-goog-encryption-key")));
        Assert.Equal("cs1uhCLEB/ttCYaQ8RMLfe1+wvf14dML2dUh8BU2N5M=", read.Header("x-goog-encryption-key-sha256"));
    }

    [Fact]
    public void A_customers_key_that_is_not_Base64_is_no_credential()
    {
        File.WriteAllText(_file, "not Base64!");
        var dialect = Create(options => (options.Credentials, options.CustomerKeyFile) = (StoreCredentials.None, _file));

        var failure = Assert.Throws<StorageException>(() => dialect.Prepare(Message(), StoreRequestKind.Direct));

        Assert.Equal((FailureReason.NoCredential, "The customer's key is not 256 bits in Base64."), (failure.Reason, failure.LogDetail));
    }

    [Fact]
    public void Pages_and_versions_are_requested_with_escaped_values()
    {
        var dialect = Public();

        var page = dialect.GetListingQuery("a b/", new ListingRequest(IsOneLevel: true, 7, "t/+"));

        Assert.Equal("?list-type=2&encoding-type=url&max-keys=7&prefix=a%20b%2F&delimiter=%2F&continuation-token=t%2F%2B", page);
        Assert.Equal("?generation=1700000000000001", dialect.GetVersionQuery("1700000000000001"));
    }

    private static HttpRequestMessage Message() => new(HttpMethod.Get, "https://storage.googleapis.com/acme/a%2Bb");

    private GoogleDialect Public() => Create(options => options.Credentials = StoreCredentials.None);

    private GoogleDialect Create(Action<StoreOptions> change)
    {
        var options = new StoreOptions { Kind = StoreKind.Gcs, Bucket = "acme" };
        change(options);
        return new GoogleDialect(options, _time);
    }
}
