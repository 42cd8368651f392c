using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Storage.Tests.Stores;

/// <summary>The verifier of signatures that other tests rely on.</summary>
public class SignatureV4Tests
{
    private const string EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    // "Signature Calculations for the Authorization Header" in the documentation of Amazon S3.
    private static readonly DateTimeOffset ExampleTime = new(2013, 5, 24, 0, 0, 0, TimeSpan.Zero);
    private static readonly SignatureV4 Example = new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1") { Clock = new FakeTimeProvider(ExampleTime), IsStrict = false };

    [Theory]
    [InlineData("/test.txt", "host;range;x-amz-content-sha256;x-amz-date", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")]
    [InlineData("/?lifecycle", "host;x-amz-content-sha256;x-amz-date", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")]
    [InlineData("/?max-keys=2&prefix=J", "host;x-amz-content-sha256;x-amz-date", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")]
    [InlineData("/?prefix=J&max-keys=2", "host;x-amz-content-sha256;x-amz-date", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")]
    public void The_examples_of_AWS_are_valid(string target, string signedHeaders, string signature)
    {
        var request = ExampleOf(target, signedHeaders, signature);

        Assert.Null(Example.Verify(request));
    }

    [Theory]
    [InlineData("/test.txt?", "host;range;x-amz-content-sha256;x-amz-date", null)]
    [InlineData("/test%2etxt", "host;range;x-amz-content-sha256;x-amz-date", null)]
    [InlineData("/test2.txt", "host;range;x-amz-content-sha256;x-amz-date", "SignatureDoesNotMatch")]
    [InlineData("/test.txt?acl", "host;range;x-amz-content-sha256;x-amz-date", "SignatureDoesNotMatch")]
    [InlineData("/test.txt", "range;host;x-amz-content-sha256;x-amz-date", "SignatureDoesNotMatch")]
    [InlineData("/test.txt", "host;range;x-amz-date", "AccessDenied")]
    public void Without_strictness_the_canonical_request_counts(string target, string signedHeaders, string? code)
    {
        var request = ExampleOf(target, signedHeaders, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

        Assert.Equal(code, Example.Verify(request)?.Code);
    }

    [Fact]
    public void What_proxies_may_change_must_not_be_signed()
    {
        var request = ExampleOf("/test.txt", "host;range;x-amz-content-sha256;x-amz-date", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

        var failure = (Example with { IsStrict = true }).Verify(request);

        Assert.Equal("a proxy may change the signed header range", failure?.Reason);
    }

    [Theory]
    [InlineData("/bucket/a%20b%2Bc%3D%27%28%29%2A%21", null)]
    [InlineData("/bucket/%C3%BC/%E6%97%A5~-._", null)]
    [InlineData("/bucket?list-type=2&prefix=a%2Fb%20c", null)]
    [InlineData("/bucket/a=b", "/bucket/a%3Db")]
    [InlineData("/bucket/a+b", "/bucket/a%2Bb")]
    [InlineData("/bucket/a%2bb", "/bucket/a%2Bb")]
    [InlineData("/bucket/%61", "/bucket/a")]
    [InlineData("/bucket/a%2Fb", "/bucket/a/b")]
    [InlineData("/bucket/%FF%", "/bucket/%FF%25")]
    [InlineData("/bucket?prefix=a/b", "/bucket?prefix=a%2Fb")]
    [InlineData("/bucket?prefix=a+b", "/bucket?prefix=a%2Bb")]
    public void The_target_on_the_wire_must_be_the_canonical_one(string target, string? instead)
    {
        var request = Sign(Example with { IsStrict = true }, target);

        var failure = (Example with { IsStrict = true }).Verify(request);

        Assert.Equal(instead is null ? null : $"the target is {target} instead of {instead}", failure?.Reason);
        Assert.Null(Example.Verify(request));
    }

    [Fact]
    public void Every_header_of_Amazon_must_be_signed()
    {
        var request = Sign(Example, "/test.txt");
        var changed = request with { Headers = new Dictionary<string, string>(request.Headers, StringComparer.OrdinalIgnoreCase) { ["X-Amz-Request-Payer"] = "requester" } };

        Assert.Equal("headers present in the request which were not signed: X-Amz-Request-Payer", Example.Verify(changed)?.Reason);
    }

    [Fact]
    public void Only_requests_without_a_body_are_valid()
    {
        var request = Sign(Example, "/test.txt", ("x-amz-content-sha256", EmptyHash.Replace('e', 'f')));

        Assert.Equal("XAmzContentSHA256Mismatch", Example.Verify(request)?.Code);
    }

    [Theory]
    [InlineData("SignatureDoesNotMatch")]
    [InlineData("InvalidAccessKeyId")]
    [InlineData("AuthorizationHeaderMalformed")]
    [InlineData("InvalidToken")]
    [InlineData("RequestTimeTooSkewed")]
    [InlineData("AccessDenied")]
    public void Other_signatures_are_refused_as_S3_refuses_them(string code)
    {
        var signer = code switch
        {
            "SignatureDoesNotMatch" => Example with { SecretKey = "another" },
            "InvalidAccessKeyId" => Example with { AccessKey = "AKIAANOTHER" },
            "AuthorizationHeaderMalformed" => Example with { Region = "eu-west-1" },
            "InvalidToken" => Example with { SessionToken = "token" },
            "RequestTimeTooSkewed" => Example with { Clock = new FakeTimeProvider(ExampleTime - TimeSpan.FromMinutes(16)) },
            _ => Example,
        };
        var request = Sign(signer, "/test.txt");
        if (code == "AccessDenied")
        {
            request = request with { Headers = request.Headers.Where(header => header.Key != "Authorization").ToDictionary(StringComparer.OrdinalIgnoreCase) };
        }

        Assert.Equal(code, Example.Verify(request)?.Code);
    }

    [Fact]
    public void A_session_token_is_part_of_the_signature()
    {
        var temporary = Example with { SessionToken = "token+/=", IsStrict = true };
        var request = Sign(temporary, "/test.txt");

        Assert.Null(temporary.Verify(request));
        Assert.Equal("InvalidToken", (temporary with { SessionToken = "another" }).Verify(request)?.Code);
    }

    private static ScriptedRequest ExampleOf(string target, string signedHeaders, string signature) => new("GET", target, new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["Host"] = "examplebucket.s3.amazonaws.com",
        ["Authorization"] = $"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders={signedHeaders}, Signature={signature}",
        ["Range"] = "bytes=0-9",
        ["x-amz-content-sha256"] = EmptyHash,
        ["x-amz-date"] = "20130524T000000Z",
    });

    /// <summary>A request as the store receives it.</summary>
    private static ScriptedRequest Sign(SignatureV4 signer, string target, params (string Name, string Value)[] headers)
    {
        // As written: Uri would decode what is unreserved.
        var uri = new Uri("http://127.0.0.1:9000" + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var message = signer.CreateRequest(HttpMethod.Get, uri, headers);
        return new ScriptedRequest("GET", target, message.Headers.NonValidated.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase));
    }
}
