using Gateway.Storage.Failures;
using Gateway.Storage.Stores.Dialects;
using Gateway.Storage.Stores.S3;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Storage.Tests.Stores.S3;

/// <summary>Every signature is verified by an implementation that shares no code with it.</summary>
public sealed class S3SignerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly FakeTimeProvider _time = new(Now);

    public static TheoryData<string> Targets =>
    [
        "/acme/a", "/acme/a%20b%2Bc%3D%27%28%29%2A%21", "/acme/%C3%BC/%E6%97%A5/%F0%9F%98%80", "/acme/a~b-c_d.e", "/acme/a//b/", "/acme/%25", "/acme/a%252Fb", "/acme/%5B%5D%7B%7D%5E%7C%60%22",
        "/acme/a?versionId=3%2FL4kqtJlcpXroDTDmJ%2BrmSpXd3dIbrHY", "/acme?list-type=2&encoding-type=url&max-keys=1000&prefix=a%2Fb%20c%2B&continuation-token=1%2F%3D%3D", "/",
    ];

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task A_signature_is_valid_by_the_strictest_rules(string target)
    {
        var message = new HttpRequestMessage(HttpMethod.Get, $"http://minio:9000{target}");

        await Signer().SignAsync(message, CancellationToken.None);

        Assert.Null(Verifier().Verify(StubStore.Read(message)));
    }

    [Theory]
    [InlineData("https://acme.s3.eu-central-1.amazonaws.com/a", "acme.s3.eu-central-1.amazonaws.com")]
    [InlineData("https://acme.s3.eu-central-1.amazonaws.com:443/a", "acme.s3.eu-central-1.amazonaws.com")]
    [InlineData("http://minio:9000/acme/a", "minio:9000")]
    [InlineData("http://[::1]:9000/acme/a", "[::1]:9000")]
    public async Task The_host_is_signed_with_a_port_that_is_not_the_default(string address, string host)
    {
        var message = new HttpRequestMessage(HttpMethod.Head, address);

        await Signer().SignAsync(message, CancellationToken.None);

        var read = StubStore.Read(message);
        Assert.Equal(host, read.Header("Host"));
        Assert.Null(Verifier().Verify(read));
    }

    [Fact]
    public async Task Only_the_host_and_headers_of_Amazon_are_signed()
    {
        var message = Message(("Range", "bytes=1-2"), ("Accept-Encoding", "identity"), ("If-Match", "\"v\""), ("User-Agent", "test"), ("x-amz-checksum-mode", "ENABLED"), ("X-Amz-Request-Payer", "requester"));

        await Signer().SignAsync(message, CancellationToken.None);

        var read = StubStore.Read(message);
        Assert.Contains("SignedHeaders=host;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date;x-amz-request-payer,", read.Header("Authorization")!.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(("bytes=1-2", "identity", "\"v\""), (read.Header("Range"), read.Header("Accept-Encoding"), read.Header("If-Match")));
        Assert.Null(Verifier().Verify(read));
    }

    [Fact]
    public async Task A_session_token_is_sent_and_signed()
    {
        var message = Message();

        await Signer(options => options.SessionToken = "token+/=").SignAsync(message, CancellationToken.None);

        Assert.Equal("token+/=", StubStore.Read(message).Header("x-amz-security-token"));
        Assert.Null((Verifier() with { SessionToken = "token+/=" }).Verify(StubStore.Read(message)));
    }

    [Fact]
    public async Task The_clock_of_the_gateway_dates_the_signature()
    {
        var message = Message();

        await Signer().SignAsync(message, CancellationToken.None);

        Assert.Equal("20260102T030405Z", StubStore.Read(message).Header("x-amz-date"));
        Assert.Contains("/20260102/", StubStore.Read(message).Header("Authorization"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("eu-central-1")]
    [InlineData("auto")]
    [InlineData("garage")]
    [InlineData("us-gov-west-1")]
    public async Task A_region_is_signed_as_it_is_configured(string region)
    {
        var message = Message();

        await Signer(options => options.Region = region).SignAsync(message, CancellationToken.None);

        Assert.Equal(region, SignatureV4.RegionOf(StubStore.Read(message)));
        Assert.Null((Verifier() with { Region = region }).Verify(StubStore.Read(message)));
    }

    [Fact]
    public async Task A_message_that_is_sent_again_has_one_fresh_signature()
    {
        var message = Message(("x-amz-checksum-mode", "ENABLED"));
        var signer = Signer(options => options.SessionToken = "token");
        await signer.SignAsync(message, CancellationToken.None);
        var first = StubStore.Read(message);

        _time.Advance(TimeSpan.FromMinutes(20));
        await signer.SignAsync(message, CancellationToken.None);

        var second = StubStore.Read(message);
        Assert.Equal("20260102T032405Z", second.Header("x-amz-date"));
        Assert.NotEqual(first.Header("Authorization"), second.Header("Authorization"));
        Assert.Null((Verifier() with { SessionToken = "token" }).Verify(second));
    }

    [Fact]
    public async Task A_rejected_key_is_read_from_its_file_again()
    {
        var path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, "old");
        var signer = Signer(options => (options.SecretKey, options.SecretKeyFile) = (null, path));
        await signer.SignAsync(Message(), CancellationToken.None);
        await File.WriteAllTextAsync(path, "SECRET\n");

        var before = Message();
        await signer.SignAsync(before, CancellationToken.None);
        signer.Forget();
        var after = Message();
        await signer.SignAsync(after, CancellationToken.None);
        File.Delete(path);

        Assert.Equal("SignatureDoesNotMatch", Verifier().Verify(StubStore.Read(before))?.Code);
        Assert.Null(Verifier().Verify(StubStore.Read(after)));
    }

    [Fact]
    public async Task Without_a_secret_there_is_no_credential()
    {
        var failure = await Assert.ThrowsAsync<StorageException>(() => Signer(options => (options.SecretKey, options.SecretKeyFile) = (null, "/missing")).SignAsync(Message(), CancellationToken.None).AsTask());

        Assert.Equal(FailureReason.NoCredential, failure.Reason);
    }

    private static HttpRequestMessage Message(params (string Name, string Value)[] headers)
    {
        var message = new HttpRequestMessage(HttpMethod.Get, "http://minio:9000/acme/a");
        foreach (var (name, value) in headers)
        {
            message.Headers.TryAddWithoutValidation(name, value);
        }

        return message;
    }

    private S3Signer Signer(Action<StoreOptions>? change = null)
    {
        var options = new StoreOptions { Kind = StoreKind.S3, Bucket = "acme", Region = "eu-central-1", AccessKey = "AK", SecretKey = "SECRET" };
        change?.Invoke(options);
        return new S3Signer(options, _time);
    }

    private SignatureV4 Verifier() => new("AK", "SECRET", "eu-central-1") { Clock = _time, MaxSkew = TimeSpan.Zero };
}
