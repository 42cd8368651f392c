using Gateway.Storage.Stores.Dialects;
using Testing;

namespace Storage.Tests.Stores.Dialects;

public class StoreAddressTests
{
    private static readonly StoreOptions S3 = new() { Kind = StoreKind.S3, Bucket = "acme" };
    private static readonly StoreOptions Azure = new() { Kind = StoreKind.Azure, Bucket = "acme" };

    [Theory]
    [InlineData("https://acme.s3.eu-central-1.amazonaws.com/", "")]
    [InlineData("https://ACME.s3.eu-central-1.amazonaws.com/prefix/", "")]
    [InlineData("http://minio:9000/acme", "/acme")]
    [InlineData("http://minio:9000/acme/prefix/", "/acme")]
    [InlineData("https://acme-media.s3.amazonaws.com/", null)]
    [InlineData("http://minio:9000/", null)]
    [InlineData("http://minio:9000/ACME/", null)]
    [InlineData("http://minio:9000/acme-media/", null)]
    [InlineData("http://minio:9000/account/acme/", null)]
    public void The_bucket_is_the_beginning_of_the_host_or_the_first_segment(string address, string? expected) =>
        Assert.Equal(expected, StoreAddress.FindBucket(new Uri(address), S3));

    [Theory]
    [InlineData("https://account.blob.core.windows.net/acme/", "/acme")]
    [InlineData("https://account.blob.core.windows.net/acme/acme/", "/acme")]
    [InlineData("http://127.0.0.1:10000/account/acme/", "/account/acme")]
    [InlineData("http://127.0.0.1:10000/account/acme/prefix", "/account/acme")]
    [InlineData("http://127.0.0.1:10000/account/", null)]
    [InlineData("https://account.blob.core.windows.net/", null)]
    public void A_container_is_the_first_segment_and_with_an_emulator_it_follows_the_account(string address, string? expected) =>
        Assert.Equal(expected, StoreAddress.FindBucket(new Uri(address), Azure));

    [Fact]
    public void A_container_that_is_named_like_its_account_is_found_in_the_path()
    {
        var address = StoreAddress.Parse(new Uri("https://acme.blob.core.windows.net/acme/a/b"), Azure);

        Assert.Equal(new StoreAddress("/acme", "a/b", "/acme/a/b"), address);
    }

    [Theory]
    [InlineData("http://minio/acme/a/b", "/acme", "a/b", "/acme/a/b")]
    [InlineData("http://minio/acme/a/", "/acme", "a/", "/acme/a/")]
    [InlineData("http://minio/acme//a//b", "/acme", "/a//b", "/acme//a//b")]
    [InlineData("http://minio/acme/", "/acme", "", "/acme/")]
    [InlineData("http://minio/acme", "/acme", "", "/acme")]
    [InlineData("http://minio/acme/a?acl", "/acme", "a", "/acme/a")]
    [InlineData("http://acme.minio/a/b", "/", "a/b", "/a/b")]
    [InlineData("http://acme.minio/", "/", "", "/")]
    [InlineData("http://acme.minio", "/", "", "/")]
    public void A_URL_has_a_bucket_and_a_key(string address, string bucket, string key, string path) =>
        Assert.Equal(new StoreAddress(bucket, key, path), StoreAddress.Parse(new Uri(address), S3));

    [Fact]
    public void The_address_of_the_destination_decides_where_the_bucket_is() =>
        Assert.Equal(new StoreAddress("/", "acme/b", "/acme/b"), StoreAddress.Parse(new Uri("http://acme.minio/acme/b"), S3, new Uri("http://acme.minio/")));

    [Fact]
    public void An_emulator_has_the_account_before_the_container() =>
        Assert.Equal(new StoreAddress("/account/acme", "a/b", "/account/acme/a/b"), StoreAddress.Parse(new Uri("http://127.0.0.1:10000/account/acme/a/b"), Azure));

    public static TheoryData<string> Keys =>
    [
        "a b", "a+b", "a%b", "a%41b", "a%2Fb", "a=b", "a&b", "a~b", "'()*!", ",;:@$", "#?", "[]{}^|`", "\"<>", "ü", "u\u0308", "日本語", "😀", "a\u00A0b", "-._~", "%", "%%", "%u0041", "a%zzb",
        "...", "a..b", "a\\b", "\u0001", "\u007F", "%FF", "a;b/c;d", new string('k', 1000),
    ];

    [Theory]
    [MemberData(nameof(Keys))]
    public void Every_character_that_is_not_unreserved_is_escaped_once_in_upper_case(string key)
    {
        // As YARP writes it, with what a path may contain; and with everything escaped.
        var asYarp = key.Replace("%", "%25", StringComparison.Ordinal).Replace("?", "%3F", StringComparison.Ordinal).Replace("#", "%23", StringComparison.Ordinal).Replace("\\", "%5C", StringComparison.Ordinal);
        var lower = string.Concat(System.Text.Encoding.UTF8.GetBytes(key).Select(b => b == '/' ? "/" : $"%{b:x2}"));

        StoreAddress?[] read = [Parse(asYarp), Parse(lower), Parse(Uri.EscapeDataString(key).Replace("%2F", "/", StringComparison.Ordinal))];

        Assert.All(read, address => Assert.Equal(new StoreAddress("/acme", key, $"/acme/{SignatureV4.EscapePath(key)}"), address));
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_canonical_path_stays_as_it_is(string key)
    {
        var once = Parse(SignatureV4.EscapePath(key));

        var again = StoreAddress.Parse(new Uri($"http://minio{once!.Value.Path}"), S3);

        Assert.Equal(once, again);
    }

    [Fact]
    public void Every_ASCII_character_reaches_the_store_as_itself()
    {
        foreach (var c in Enumerable.Range(1, 127).Select(c => (char)c).Where(c => c is not '.' and not '/'))
        {
            var address = Parse($"%{(int)c:X2}");

            Assert.Equal(c.ToString(), address?.Key);
            Assert.Equal($"/acme/{(char.IsAsciiLetterOrDigit(c) || "-_~".Contains(c, StringComparison.Ordinal) ? c.ToString() : $"%{(int)c:X2}")}", address?.Path);
        }
    }

    // A store decodes it before it verifies the signature, so it would reject a signature over the encoded form.
    [Theory]
    [InlineData("a%2Fb")]
    [InlineData("a%2fb")]
    public void An_encoded_slash_is_a_slash_of_the_key(string path) =>
        Assert.Equal(new StoreAddress("/acme", "a/b", "/acme/a/b"), Parse(path));

    [Theory]
    [InlineData("a%2F..%2Fb")]
    [InlineData("..%2Fb")]
    [InlineData("a/%252e%252e/b")]
    [InlineData("a%5C..%5Cb")]
    [InlineData("..;x/b")]
    [InlineData("%252e")]
    public void A_dot_segment_in_any_encoding_is_refused(string path) => Assert.Null(Parse(path));

    [Theory]
    [InlineData("%FF")]
    [InlineData("a/%C3")]
    [InlineData("%C0%AE")]
    [InlineData("%ED%A0%80")]
    [InlineData("%F8%88%80%80%80")]
    public void A_key_that_is_not_UTF_8_is_refused(string path) => Assert.Null(Parse(path));

    [Fact]
    public void A_URL_without_the_bucket_is_refused() => Assert.Null(StoreAddress.Parse(new Uri("http://minio/other/a"), S3));

    private static StoreAddress? Parse(string path) => StoreAddress.Parse(new Uri($"http://minio/acme/{path}"), S3);
}
