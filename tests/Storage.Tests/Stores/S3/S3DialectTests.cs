using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Stores.Dialects;
using Gateway.Storage.Stores.S3;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Storage.Tests.Stores.S3;

public sealed class S3DialectTests : IDisposable
{
    // 32 bytes of 1.
    private const string Key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    private readonly FakeTimeProvider _time = new();
    private readonly string _keyFile = Path.GetTempFileName();

    public S3DialectTests() => File.WriteAllText(_keyFile, Key + "\n");

    public void Dispose() => File.Delete(_keyFile);

    [Theory]
    [InlineData((int)StoreRequestKind.Entry, null, true, "ENABLED")]
    [InlineData((int)StoreRequestKind.Entry, "bytes=1-", true, null)]
    [InlineData((int)StoreRequestKind.Entry, null, false, null)]
    [InlineData((int)StoreRequestKind.Direct, null, true, null)]
    [InlineData((int)StoreRequestKind.Listing, null, true, null)]
    public void Checksums_are_requested_for_whole_entries(int kind, string? range, bool isEnabled, string? expected)
    {
        var message = Message();
        message.Headers.TryAddWithoutValidation("Range", range is null ? [] : [range]);

        Create(options => options.Checksums = isEnabled).Prepare(message, (StoreRequestKind)kind);

        Assert.Equal(expected, StubStore.Read(message).Header("x-amz-checksum-mode"));
    }

    [Fact]
    public void A_listing_requests_which_objects_are_restored()
    {
        var (listing, entry) = (Message(), Message());

        Create().Prepare(listing, StoreRequestKind.Listing);
        Create().Prepare(entry, StoreRequestKind.Entry);

        Assert.Equal("RestoreStatus", StubStore.Read(listing).Header("x-amz-optional-object-attributes"));
        Assert.Null(StubStore.Read(entry).Header("x-amz-optional-object-attributes"));
    }

    [Fact]
    public void The_requester_pays_for_every_kind_of_request()
    {
        var messages = Enum.GetValues<StoreRequestKind>().Select(kind =>
        {
            var message = Message();
            Create(options => options.RequesterPays = true).Prepare(message, kind);
            return message;
        });

        Assert.All(messages, message => Assert.Equal("requester", StubStore.Read(message).Header("x-amz-request-payer")));
    }

    [Fact]
    public async Task A_customers_key_is_sent_with_its_MD5_and_signed()
    {
        var message = Message();
        var dialect = Create(options => options.CustomerKeyFile = _keyFile);

        dialect.Prepare(message, StoreRequestKind.Direct);
        await dialect.AuthorizeAsync(message, CancellationToken.None);

        var read = StubStore.Read(message);
        Assert.Equal(("AES256", Key), (read.Header("x-amz-server-side-encryption-customer-algorithm"), read.Header("x-amz-server-side-encryption-customer-key")));
        Assert.Equal("4Funlf7OsLF0HL+vKU+fkg==", read.Header("x-amz-server-side-encryption-customer-key-MD5"));
        Assert.Null(new SignatureV4("AK", "SECRET", "eu-central-1") { Clock = _time }.Verify(read));
    }

    [Fact]
    public void A_customers_key_that_is_not_Base64_is_no_credential_and_is_not_shown()
    {
        File.WriteAllText(_keyFile, "not Base64!");

        var failure = Assert.Throws<StorageException>(() => Create(options => options.CustomerKeyFile = _keyFile).Prepare(Message(), StoreRequestKind.Entry));

        Assert.Equal((FailureReason.NoCredential, "The customer's key is not 256 bits in Base64."), (failure.Reason, failure.LogDetail));
    }

    [Fact]
    public async Task A_public_bucket_is_read_without_a_signature()
    {
        var message = Message();

        await Create(options => (options.Credentials, options.AccessKey) = (StoreCredentials.None, null)).AuthorizeAsync(message, CancellationToken.None);

        Assert.Empty(message.Headers);
    }

    [Theory]
    [InlineData("a b/ü", false, null, "?list-type=2&encoding-type=url&max-keys=7&prefix=a%20b%2F%C3%BC")]
    [InlineData("", true, null, "?list-type=2&encoding-type=url&max-keys=7&prefix=&delimiter=%2F")]
    [InlineData("a&b=c/", true, "1/+=&", "?list-type=2&encoding-type=url&max-keys=7&prefix=a%26b%3Dc%2F&delimiter=%2F&continuation-token=1%2F%2B%3D%26")]
    public void A_page_is_requested_with_every_value_escaped(string prefix, bool isOneLevel, string? token, string expected) =>
        Assert.Equal(expected, Create().GetListingQuery(prefix, new ListingRequest(isOneLevel, 7, token)));

    [Fact]
    public void A_version_is_requested_by_its_escaped_id() => Assert.Equal("?versionId=a%2F%2B%26b", Create().GetVersionQuery("a/+&b"));

    [Theory]
    [InlineData("GLACIER", null, null, "GLACIER")]
    [InlineData("DEEP_ARCHIVE", null, null, "DEEP_ARCHIVE")]
    [InlineData("GLACIER", "ongoing-request=\"true\"", null, "GLACIER")]
    [InlineData("GLACIER", "ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2026 00:00:00 GMT\"", null, null)]
    [InlineData("GLACIER_IR", null, null, null)]
    [InlineData("INTELLIGENT_TIERING", null, "ARCHIVE_ACCESS", "ARCHIVE_ACCESS")]
    [InlineData("INTELLIGENT_TIERING", null, "DEEP_ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS")]
    [InlineData("INTELLIGENT_TIERING", "ongoing-request=\"false\"", "ARCHIVE_ACCESS", null)]
    [InlineData("STANDARD_IA", null, null, null)]
    [InlineData(null, null, null, null)]
    public void An_archived_object_has_a_class_until_it_is_restored(string? storageClass, string? restore, string? status, string? expected)
    {
        using var response = new HttpResponseMessage();
        foreach (var (name, value) in new[] { ("x-amz-storage-class", storageClass), ("x-amz-restore", restore), ("x-amz-archive-status", status) })
        {
            response.Headers.TryAddWithoutValidation(name, value is null ? [] : [value]);
        }

        Assert.Equal(expected, Create().FindArchiveClass(response));
    }

    private static HttpRequestMessage Message() => new(HttpMethod.Get, "https://acme.s3.eu-central-1.amazonaws.com/a");

    private S3Dialect Create(Action<StoreOptions>? change = null)
    {
        var options = new StoreOptions { Kind = StoreKind.S3, Bucket = "acme", Region = "eu-central-1", AccessKey = "AK", SecretKey = "SECRET" };
        change?.Invoke(options);
        return new S3Dialect(options, _time);
    }
}
