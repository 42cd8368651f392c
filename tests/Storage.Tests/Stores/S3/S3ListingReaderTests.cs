using System.Text;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Stores.S3;

namespace Storage.Tests.Stores.S3;

public class S3ListingReaderTests
{
    private const string End = "<IsTruncated>false</IsTruncated>";
    private const string Url = "<EncodingType>url</EncodingType>";

    [Fact]
    public void A_page_of_S3_is_read()
    {
        var page = S3ListingReader.Read(
            Encoding.UTF8.GetBytes("""
            <?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>acme</Name><Prefix>media/</Prefix><NextContinuationToken>1ueGcxLP/x+y=</NextContinuationToken>
            <KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><Delimiter>%2F</Delimiter><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
            <Contents><Key>media/a+b%2Bc%20%C3%BC</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&quot;d41d8cd9-3&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><Size>12</Size>
              <Owner><ID>1</ID><DisplayName>Key</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents>
            <Contents><Key>media/z</Key><LastModified>2026-01-02T03:04:06Z</LastModified><ETag>abc</ETag><Size>0</Size><StorageClass>DEEP_ARCHIVE</StorageClass></Contents>
            <CommonPrefixes><Prefix>media/2026%20x/</Prefix></CommonPrefixes>
            </ListBucketResult>
            """),
            "media/");

        Assert.Equal(
            [
                new ListedObject("a b+c ü", 12, "\"d41d8cd9-3\"", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)),
                new ListedObject("z", 0, "\"abc\"", new DateTimeOffset(2026, 1, 2, 3, 4, 6, TimeSpan.Zero)) { ArchivedAs = "DEEP_ARCHIVE" },
            ],
            page.Objects);
        Assert.Equal(["2026 x/"], page.Folders);
        Assert.Equal("1ueGcxLP/x+y=", page.Next);
    }

    [Fact]
    public void Keys_are_decoded_only_if_the_store_has_encoded_them()
    {
        Assert.Equal("a+b%20c", Assert.Single(Read(Object("a+b%20c") + End).Objects).Key);
        Assert.Equal("a b c", Assert.Single(Read(Url + Object("a+b%20c") + End).Objects).Key);
        Assert.Equal("a b c", Assert.Single(Read(Object("a+b%20c") + End + Url).Objects).Key);
    }

    [Fact]
    public void A_token_is_never_decoded_and_may_contain_a_control_character()
    {
        Assert.Equal("a%20b+c", Read(Url + "<IsTruncated>true</IsTruncated><NextContinuationToken>a%20b+c</NextContinuationToken>").Next);
        Assert.Equal("x\u0001", Read(Url + "<IsTruncated>true</IsTruncated><NextContinuationToken>x&#x1;</NextContinuationToken><Prefix>&#x1;</Prefix><StartAfter>&#x1;</StartAfter>").Next);
    }

    [Theory]
    [InlineData("", "x&#x1;y", "x\u0001y")]
    [InlineData(Url, "x%01y", "x\u0001y")]
    [InlineData(Url, "%F0%9F%98%80", "😀")]
    [InlineData("", "&#x1F600;", "😀")]
    [InlineData(Url, "a&amp;b", "a&b")]
    [InlineData("", "<![CDATA[a<b]]>c", "a<bc")]
    [InlineData("", " ", " ")]
    [InlineData("", "a<!-- -->b", "ab")]
    public void Any_character_can_be_part_of_a_key(string encoding, string text, string key) => Assert.Equal(key, Assert.Single(Read(encoding + Object(text) + End).Objects).Key);

    [Fact]
    public void A_control_character_that_is_not_escaped_is_an_invalid_listing() => RequireInvalid(Object("x\u0001y") + End);

    [Theory]
    [InlineData("", "&#xD800;")]
    [InlineData("", "&#xDC00;&#xD800;")]
    [InlineData(Url, "&#xD83D;%20")]
    [InlineData(Url, "%ED%A0%80")]
    [InlineData(Url, "%FF")]
    [InlineData(Url, "%C3")]
    [InlineData(Url, "%C0%AF")]
    [InlineData(Url, "%")]
    [InlineData(Url, "%4")]
    [InlineData(Url, "%zz")]
    [InlineData(Url, "%+1")]
    [InlineData(Url, "% 1")]
    public void A_key_that_is_not_Unicode_is_an_invalid_listing(string encoding, string text) => RequireInvalid(encoding + Object(text) + End);

    [Fact]
    public void Bytes_that_are_not_UTF_8_are_an_invalid_listing()
    {
        byte[] xml = [.. "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Size>1</Size><Key>"u8, 0xC3, 0x28, .. "</Key></Contents></ListBucketResult>"u8];

        RequireInvalid(xml);
        RequireInvalid(Encoding.Unicode.GetBytes("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"));
    }

    [Fact]
    public void The_declaration_does_not_change_the_encoding() =>
        Assert.Equal("ü", Assert.Single(S3ListingReader.Read(Encoding.UTF8.GetBytes($"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><ListBucketResult>{Object("ü")}{End}</ListBucketResult>"), "").Objects).Key);

    [Fact]
    public void A_key_or_folder_outside_of_the_prefix_is_an_invalid_listing()
    {
        foreach (var key in new[] { "a", "a/", "b/x", "A/b/x", "", "a/b" })
        {
            RequireInvalid(Object(key) + End, "a/b/");
            RequireInvalid($"<CommonPrefixes><Prefix>{key}</Prefix></CommonPrefixes>{End}", "a/b/");
        }

        // The prefix is compared after decoding.
        Assert.Equal("x", Assert.Single(Read(Url + Object("a%2Fb/x") + End, "a/b/").Objects).Key);
    }

    [Fact]
    public void A_key_that_ends_in_a_slash_is_a_marker_unless_it_has_bytes()
    {
        const string Empty = "<Size>0</Size>";
        Assert.True(Assert.Single(Read(Object("a/", Empty) + End, "a/").Objects) is { Key: "", IsMarker: true });
        Assert.True(Assert.Single(Read(Object("a/b/", Empty) + End, "a/").Objects) is { Key: "b/", IsMarker: true });
        Assert.True(Assert.Single(Read(Object("a/b", Empty) + End, "a/").Objects) is { Key: "b", IsMarker: false });
        Assert.True(Assert.Single(Read(Object("a/") + End, "a/").Objects) is { Key: "", IsMarker: false });
        Assert.True(Assert.Single(Read(Object("a/b/") + End, "a/").Objects) is { Key: "b/", IsMarker: false });
    }

    [Theory]
    [InlineData("a/")]
    [InlineData("a/b")]
    [InlineData("a/b/c/")]
    public void A_folder_is_exactly_one_level_below_the_prefix(string folder) => RequireInvalid($"<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>{End}", "a/");

    [Fact]
    public void A_page_may_be_empty_although_the_listing_continues()
    {
        var page = Read("<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>");

        Assert.Equal((0, 0, "t"), (page.Objects.Count, page.Folders.Count, page.Next));
    }

    [Theory]
    [InlineData("<IsTruncated>true</IsTruncated>")]
    [InlineData("<IsTruncated>true</IsTruncated><NextContinuationToken/>")]
    [InlineData("<IsTruncated>true</IsTruncated><NextMarker>x</NextMarker>")]
    [InlineData("<IsTruncated>yes</IsTruncated><NextContinuationToken>x</NextContinuationToken>")]
    [InlineData("<IsTruncated></IsTruncated>")]
    [InlineData("")]
    [InlineData("<IsTruncated>true</IsTruncated><NextContinuationToken>&#xD800;</NextContinuationToken>")]
    [InlineData("<IsTruncated>true</IsTruncated><NextContinuationToken>a</NextContinuationToken><NextContinuationToken>b</NextContinuationToken>")]
    [InlineData("<IsTruncated>false</IsTruncated><IsTruncated>false</IsTruncated>")]
    [InlineData("<IsTruncated><x>false</x></IsTruncated>")]
    [InlineData("<IsTruncated>false</IsTruncated><EncodingType>gzip</EncodingType>")]
    public void A_page_whose_end_is_not_clear_is_an_invalid_listing(string content) => RequireInvalid(content);

    [Fact]
    public void An_endless_token_is_an_invalid_listing()
    {
        Assert.Equal(4096, Read($"<IsTruncated>true</IsTruncated><NextContinuationToken>{new string('t', 4096)}</NextContinuationToken>").Next!.Length);
        RequireInvalid($"<IsTruncated>true</IsTruncated><NextContinuationToken>{new string('t', 4097)}</NextContinuationToken>");
        RequireInvalid($"<IsTruncated>true</IsTruncated><NextContinuationToken>{new string('ü', 2100)}</NextContinuationToken>");
        RequireInvalid($"<IsTruncated>true</IsTruncated><NextContinuationToken>{new string('t', 9 << 20)}</NextContinuationToken>");
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1.0")]
    [InlineData("0x1")]
    [InlineData("1125899906842625")]
    [InlineData("99999999999999999999999")]
    public void A_size_that_is_not_a_length_is_an_invalid_listing(string size) => RequireInvalid(Object("a", $"<Size>{size}</Size>") + End);

    [Fact]
    public void An_object_without_key_or_size_is_an_invalid_listing()
    {
        RequireInvalid("<Contents><Key>a</Key></Contents>" + End);
        RequireInvalid("<Contents><Size>1</Size></Contents>" + End);
        RequireInvalid("<Contents><Key/><Size>1</Size></Contents>" + End);
        RequireInvalid("<Contents/>" + End);
        RequireInvalid("<Contents><Key>a</Key><Key>b</Key><Size>1</Size></Contents>" + End);
        RequireInvalid("<CommonPrefixes><Prefix/></CommonPrefixes>" + End);
    }

    [Fact]
    public void A_key_that_is_listed_twice_is_an_invalid_listing()
    {
        RequireInvalid(Object("a") + Object("b") + Object("a") + End);
        RequireInvalid(Url + Object("%61") + Object("a") + End);
        RequireInvalid(Object("a/") + "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>" + End);
    }

    [Theory]
    [InlineData("2026-01-02T03:04:05.999Z", 5)]
    [InlineData("2026-01-02T03:04:05.123456789Z", 5)]
    [InlineData("2026-01-02T03:04:05Z", 5)]
    [InlineData("2026-01-02T04:04:05.5+01:00", 5)]
    [InlineData("yesterday", null)]
    [InlineData("", null)]
    public void A_time_is_truncated_to_seconds(string text, int? second) => Assert.Equal(
        second is { } s ? new DateTimeOffset(2026, 1, 2, 3, 4, s, TimeSpan.Zero) : DateTimeOffset.UnixEpoch,
        Assert.Single(Read(Object("a", $"<Size>1</Size><LastModified>{text}</LastModified>") + End).Objects).Modified);

    [Theory]
    [InlineData("<StorageClass>GLACIER</StorageClass>", "GLACIER")]
    [InlineData("<StorageClass>DEEP_ARCHIVE</StorageClass>", "DEEP_ARCHIVE")]
    [InlineData("<StorageClass>GLACIER_IR</StorageClass>", null)]
    [InlineData("<StorageClass>ARCHIVE</StorageClass>", null)]
    [InlineData("<StorageClass>GLACIER</StorageClass><RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>", "GLACIER")]
    [InlineData("<StorageClass>GLACIER</StorageClass><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress></RestoreStatus>", "GLACIER")]
    [InlineData("<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2026-12-13T00:00:00Z</RestoreExpiryDate></RestoreStatus><StorageClass>GLACIER</StorageClass>", null)]
    public void An_archived_object_is_known_by_its_class(string fields, string? archived) =>
        Assert.Equal(archived, Assert.Single(Read(Object("a", "<Size>1</Size>" + fields) + End).Objects).ArchivedAs);

    [Fact]
    public void A_weak_ETag_is_ignored() => Assert.Null(Assert.Single(Read(Object("a", "<Size>1</Size><ETag>W/&quot;x&quot;</ETag>") + End).Objects).ETag);

    [Theory]
    [InlineData("SlowDown", nameof(FailureReason.Throttled))]
    [InlineData("ServiceUnavailable", nameof(FailureReason.Throttled))]
    [InlineData("InternalError", nameof(FailureReason.StorageError))]
    [InlineData("NoSuchBucket", nameof(FailureReason.InvalidListing))]
    [InlineData("a b", nameof(FailureReason.InvalidListing))]
    [InlineData("", nameof(FailureReason.InvalidListing))]
    public void A_200_may_contain_an_error(string code, string reason)
    {
        var error = $"<Error><Code>{code}</Code><Message>secret</Message></Error>";

        foreach (var xml in new[] { error, $"<ListBucketResult>{error}{End}</ListBucketResult>" })
        {
            var failure = Assert.Throws<StorageException>(() => S3ListingReader.Read(Encoding.UTF8.GetBytes(xml), ""));

            Assert.Equal(reason, failure.Reason.Name);
            Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("{}")]
    [InlineData("<html><body>Sign in</body></html>")]
    [InlineData("<ListAllMyBucketsResult/>")]
    [InlineData("<ListBucketResult>")]
    [InlineData("<ListBucketResult><IsTruncated>false</IsTruncated>")]
    [InlineData("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>x")]
    [InlineData("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult><ListBucketResult/>")]
    [InlineData("<!DOCTYPE ListBucketResult><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")]
    [InlineData("<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><ListBucketResult><IsTruncated>&a;</IsTruncated></ListBucketResult>")]
    [InlineData("<ListBucketResult><IsTruncated>&secret;</IsTruncated></ListBucketResult>")]
    public void What_is_not_a_listing_is_an_invalid_listing(string xml) => RequireInvalid(Encoding.UTF8.GetBytes(xml));

    [Fact]
    public void A_billion_laughs_are_refused()
    {
        var xml = new StringBuilder("<!DOCTYPE l [<!ENTITY l0 \"secret\">");
        for (var i = 1; i < 10; i++)
        {
            xml.Append(null, $"<!ENTITY l{i} \"{string.Concat(Enumerable.Repeat($"&l{i - 1};", 10))}\">");
        }

        RequireInvalid(Encoding.UTF8.GetBytes(xml + "]><ListBucketResult><IsTruncated>&l9;</IsTruncated></ListBucketResult>"));
    }

    [Fact]
    public void Deep_nesting_is_refused()
    {
        RequireInvalid(string.Concat(Enumerable.Repeat("<a>", 1_000_000)));
        RequireInvalid(string.Concat(Enumerable.Repeat("<a>", 20)) + string.Concat(Enumerable.Repeat("</a>", 20)) + End);
    }

    [Fact]
    public void A_page_of_9_MiB_costs_no_more_memory_than_it_has_entries()
    {
        RequireInvalid(string.Concat(Enumerable.Range(0, 200_000).Select(i => Object($"{i}"))) + End);
        RequireInvalid(string.Concat(Enumerable.Range(0, 900_000).Select(i => $"<a{i:x6}/>")) + End);
        RequireInvalid($"<a {string.Concat(Enumerable.Range(0, 700_000).Select(i => $"a{i:x6}='' "))}/>" + End);
        RequireInvalid($"<Name>{new string(' ', 9 << 20)}</Name>" + End);
        RequireInvalid(Object("a", "<Size>1</Size><ETag>" + string.Concat(Enumerable.Repeat("<![CDATA[x]]>", 20_000)) + "</ETag>") + End);
    }

    [Fact]
    public void A_page_has_5000_entries_at_most()
    {
        var keys = string.Concat(Enumerable.Range(0, 5000).Select(i => Object($"{i}")));

        Assert.Equal(5000, Read(keys + End).Objects.Count);
        RequireInvalid(keys + Object("x") + End);
        RequireInvalid(keys + "<CommonPrefixes><Prefix>x/</Prefix></CommonPrefixes>" + End);
    }

    private static string Object(string key, string fields = "<Size>1</Size>") => $"<Contents><Key>{key}</Key>{fields}</Contents>";

    private static ListingPage Read(string content, string prefix = "") => S3ListingReader.Read(Encoding.UTF8.GetBytes($"<ListBucketResult>{content}</ListBucketResult>"), prefix);

    private static void RequireInvalid(string content, string prefix = "") => RequireInvalid(Encoding.UTF8.GetBytes($"<ListBucketResult>{content}</ListBucketResult>"), prefix);

    private static void RequireInvalid(byte[] xml, string prefix = "")
    {
        var failure = Assert.Throws<StorageException>(() => S3ListingReader.Read(xml, prefix));

        Assert.Equal(FailureReason.InvalidListing, failure.Reason);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }
}
