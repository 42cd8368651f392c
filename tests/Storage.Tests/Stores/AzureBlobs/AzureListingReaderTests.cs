using System.Text;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Stores.AzureBlobs;

namespace Storage.Tests.Stores.AzureBlobs;

public class AzureListingReaderTests
{
    private const string Size = "<Properties><Content-Length>1</Content-Length></Properties>";
    private const string End = "<NextMarker/>";

    [Fact]
    public void A_page_of_Azure_is_read()
    {
        var page = AzureListingReader.Read(
            Encoding.UTF8.GetBytes("""
            <?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://acme.blob.core.windows.net/" ContainerName="media"><Prefix>a/</Prefix><Marker>x</Marker><MaxResults>5000</MaxResults><Delimiter>/</Delimiter>
            <Blobs>
            <Blob><Name>a/b+c%20 ü</Name><Properties><Creation-Time>Fri, 02 Jan 2026 01:00:00 GMT</Creation-Time><Last-Modified>Fri, 02 Jan 2026 03:04:05 GMT</Last-Modified><Etag>0x8DC3F1A2B4C5D6E</Etag>
              <Content-Length>12</Content-Length><Content-Type>text/plain</Content-Type><Content-Encoding /><Content-MD5>AQIDBAUGBwgJCgsMDQ4PEA==</Content-MD5><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier></Properties>
              <Metadata><owner>x</owner></Metadata><OrMetadata /></Blob>
            <Blob><Name Encoded="true">a/x%01%EF%BF%BE+y</Name><Properties><Content-Length>0</Content-Length><Etag>"0x1"</Etag><AccessTier>Archive</AccessTier></Properties></Blob>
            <BlobPrefix><Name>a/2026 x/</Name></BlobPrefix>
            <BlobPrefix><Name Encoded="true">a/%01/</Name><Properties><Etag>0x2</Etag></Properties></BlobPrefix>
            </Blobs><NextMarker>2!92!MDAw</NextMarker></EnumerationResults>
            """).Prepend((byte)0xBF).Prepend((byte)0xBB).Prepend((byte)0xEF).ToArray(),
            "a/");

        Assert.Equal(["b+c%20 ü", "x\u0001\uFFFE+y"], page.Objects.Select(listed => listed.Key));
        Assert.Equal([(12L, "\"0x8DC3F1A2B4C5D6E\"", null), (0L, "\"0x1\"", "Archive")], page.Objects.Select(listed => (listed.Size, listed.ETag, listed.ArchivedAs)));
        Assert.Equal([new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), DateTimeOffset.UnixEpoch], page.Objects.Select(listed => listed.Modified));
        Assert.Equal(Enumerable.Range(1, 16).Select(i => (byte)i), page.Objects[0].Md5!);
        Assert.Null(page.Objects[1].Md5);
        Assert.DoesNotContain(page.Objects, listed => listed.IsDirectory);
        Assert.Equal(["2026 x/", "\u0001/"], page.Folders);
        Assert.Equal("2!92!MDAw", page.Next);
    }

    [Theory]
    [InlineData("<Properties><Content-Length>0</Content-Length><ResourceType>directory</ResourceType></Properties>", true)]
    [InlineData("<Properties><Content-Length>0</Content-Length><ResourceType>file</ResourceType></Properties>", false)]
    [InlineData(Size + "<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>", true)]
    [InlineData(Size + "<Metadata><Hdi_IsFolder>True</Hdi_IsFolder></Metadata>", true)]
    [InlineData(Size + "<Metadata><hdi_isfolder>false</hdi_isfolder><x>true</x></Metadata>", false)]
    [InlineData(Size + "<Metadata />", false)]
    public void A_directory_is_known_by_its_type_or_metadata(string fields, bool isDirectory) =>
        Assert.Equal(isDirectory, Assert.Single(Read($"<Blobs><Blob><Name>a</Name>{fields}</Blob></Blobs>{End}").Objects).IsDirectory);

    [Theory]
    [InlineData("AQID")]
    [InlineData("not base64 at all!!!!!!=")]
    [InlineData("")]
    public void An_MD5_that_is_none_is_ignored(string md5) =>
        Assert.Null(Assert.Single(Read($"<Blobs><Blob><Name>a</Name><Properties><Content-Length>1</Content-Length><Content-MD5>{md5}</Content-MD5></Properties></Blob></Blobs>{End}").Objects).Md5);

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("GZIP, identity, br", "gzip, br")]
    [InlineData("identity", null)]
    [InlineData("", null)]
    [InlineData("not a coding", null)]
    public void Content_codings_are_read_and_one_that_is_invalid_does_not_fail_the_page(string text, string? encoding) =>
        Assert.Equal(encoding, Assert.Single(Read($"<Blobs><Blob><Name>a</Name><Properties><Content-Length>1</Content-Length><Content-Encoding>{text}</Content-Encoding></Properties></Blob></Blobs>{End}").Objects).Encoding);

    [Fact]
    public void An_empty_container_has_an_empty_page()
    {
        var page = Read("<Blobs />" + End);

        Assert.Equal((0, 0, null), (page.Objects.Count, page.Folders.Count, page.Next));
    }

    [Fact]
    public void A_page_may_be_empty_although_the_listing_continues() => Assert.Equal("m", Read("<Blobs/><NextMarker>m</NextMarker>").Next);

    [Theory]
    [InlineData("<Blobs/>")]
    [InlineData("<NextMarker/>")]
    [InlineData("<Containers/><NextMarker/>")]
    [InlineData("<Blobs/><Blobs/><NextMarker/>")]
    [InlineData("<Blobs/><NextMarker/><NextMarker>x</NextMarker>")]
    [InlineData("<Blobs/><NextMarker>&#xDC00;</NextMarker>")]
    [InlineData("<Blobs><Blob><Name>a</Name></Blob></Blobs><NextMarker/>")]
    [InlineData("<Blobs><Blob><Name>a</Name><Properties/></Blob></Blobs><NextMarker/>")]
    [InlineData("<Blobs><Blob>" + Size + "</Blob></Blobs><NextMarker/>")]
    [InlineData("<Blobs><Blob><Name/>" + Size + "</Blob></Blobs><NextMarker/>")]
    [InlineData("<Blobs><Blob><Name>a</Name>" + Size + Size + "</Blob></Blobs><NextMarker/>")]
    [InlineData("<Blobs><Blob><Name>a</Name><Name>b</Name>" + Size + "</Blob></Blobs><NextMarker/>")]
    [InlineData("<Blobs><Blob><Name Encoded='true'>%FF</Name>" + Size + "</Blob></Blobs><NextMarker/>")]
    [InlineData("<Blobs><Blob><Name Encoded='true'>%4</Name>" + Size + "</Blob></Blobs><NextMarker/>")]
    [InlineData("<Blobs><Blob><Name>&#xD800;</Name>" + Size + "</Blob></Blobs><NextMarker/>")]
    [InlineData("<Blobs><Blob><Name>a</Name><Properties><Content-Length>-1</Content-Length></Properties></Blob></Blobs><NextMarker/>")]
    [InlineData("<Blobs><Blob><Name>a</Name><Properties><Content-Length>1125899906842625</Content-Length></Properties></Blob></Blobs><NextMarker/>")]
    [InlineData("<Blobs><Blob><Name>a</Name>" + Size + "</Blob><Blob><Name>a</Name>" + Size + "</Blob></Blobs><NextMarker/>")]
    [InlineData("<Blobs><BlobPrefix/></Blobs><NextMarker/>")]
    [InlineData("<Blobs><BlobPrefix><Name>a</Name></BlobPrefix></Blobs><NextMarker/>")]
    public void What_Azure_cannot_mean_is_an_invalid_listing(string content) => RequireInvalid($"<EnumerationResults>{content}</EnumerationResults>");

    [Fact]
    public void A_name_outside_of_the_prefix_is_an_invalid_listing()
    {
        RequireInvalid($"<EnumerationResults><Blobs><Blob><Name>b/x</Name>{Size}</Blob></Blobs>{End}</EnumerationResults>", "a/");
        RequireInvalid($"<EnumerationResults><Blobs><BlobPrefix><Name>b/</Name></BlobPrefix></Blobs>{End}</EnumerationResults>", "a/");
        Assert.Equal("x", Assert.Single(Read($"<Blobs><Blob><Name Encoded='true'>a%2Fx</Name>{Size}</Blob></Blobs>{End}", "a/").Objects).Key);
    }

    [Fact]
    public void An_endless_marker_is_an_invalid_listing() => RequireInvalid($"<EnumerationResults><Blobs/><NextMarker>{new string('m', 4097)}</NextMarker></EnumerationResults>");

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")]
    [InlineData("<EnumerationResults><Blobs/><NextMarker/>")]
    [InlineData("<!DOCTYPE x [<!ENTITY a 'secret'>]><EnumerationResults><Blobs/><NextMarker>&a;</NextMarker></EnumerationResults>")]
    public void What_is_not_a_listing_is_an_invalid_listing(string xml) => RequireInvalid(xml);

    [Fact]
    public void Deep_nesting_and_many_names_are_refused()
    {
        RequireInvalid(string.Concat(Enumerable.Repeat("<EnumerationResults>", 400_000)));
        RequireInvalid($"<EnumerationResults><Blobs><Blob><Metadata>{string.Concat(Enumerable.Range(0, 900_000).Select(i => $"<a{i:x6}/>"))}</Metadata></Blob></Blobs>{End}</EnumerationResults>");
    }

    [Theory]
    [InlineData("ServerBusy", nameof(FailureReason.Throttled))]
    [InlineData("OperationTimedOut", nameof(FailureReason.StorageError))]
    [InlineData("secret", nameof(FailureReason.InvalidListing))]
    public void A_200_may_contain_an_error(string code, string reason)
    {
        var failure = Assert.Throws<StorageException>(() => AzureListingReader.Read(Encoding.UTF8.GetBytes($"<Error><Code>{code}</Code></Error>"), ""));

        Assert.Equal(reason, failure.Reason.Name);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }

    private static ListingPage Read(string content, string prefix = "") => AzureListingReader.Read(Encoding.UTF8.GetBytes($"<EnumerationResults>{content}</EnumerationResults>"), prefix);

    private static void RequireInvalid(string xml, string prefix = "")
    {
        var failure = Assert.Throws<StorageException>(() => AzureListingReader.Read(Encoding.UTF8.GetBytes(xml), prefix));

        Assert.Equal(FailureReason.InvalidListing, failure.Reason);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }
}
