using System.IO.Compression;
using System.Text;
using Gateway.Requests;
using Gateway.Responses;

namespace Gateway.Tests.Requests;

public class RequestBodyTests
{
    private readonly TestHttp _http = new();

    [Theory]
    [InlineData("application/json", true)]
    [InlineData("APPLICATION/JSON; charset=UTF-8", true)]
    [InlineData("application/json; charset=\"utf-8\"", true)]
    [InlineData("application/json;charset=utf8", true)]
    [InlineData("application/merge-patch+json", true)]
    [InlineData("application/x-www-form-urlencoded", false)]
    [InlineData("application/x-www-form-urlencoded; charset=us-ascii", false)]
    public void A_manifest_and_a_form_in_UTF_8_are_accepted(string contentType, bool isJson)
    {
        _http.Request.ContentType = contentType;

        Assert.Equal(isJson, RequestBody.RequireJsonOrForm(_http.Request));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("text/plain")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/xml")]
    [InlineData("json")]
    public void Any_other_body_is_a_415_that_names_both(string? contentType)
    {
        _http.Request.ContentType = contentType;

        var problem = Assert.Throws<BundleProblemException>(() => RequestBody.RequireJsonOrForm(_http.Request));

        Assert.Equal(
            (415, "Send a JSON manifest with Content-Type: application/json, or a form with Content-Type: application/x-www-form-urlencoded."),
            (problem.StatusCode, problem.Message));
    }

    [Theory]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/x-www-form-urlencoded; charset=iso-8859-1")]
    public void Another_charset_is_a_415(string contentType)
    {
        _http.Request.ContentType = contentType;

        var problem = Assert.Throws<BundleProblemException>(() => RequestBody.RequireJsonOrForm(_http.Request));

        Assert.Equal((415, "The body must be UTF-8. Its Content-Type names another charset."), (problem.StatusCode, problem.Message));
    }

    [Theory]
    [InlineData("")]
    [InlineData("identity")]
    [InlineData("gzip")]
    [InlineData("X-GZIP")]
    [InlineData("br")]
    public async Task A_body_is_decoded_and_every_byte_is_paid_for(string coding)
    {
        var text = string.Concat(Enumerable.Range(0, 10_000));
        _http.Request.Headers.ContentEncoding = coding;
        _http.Request.Body = new MemoryStream(Encode(text, coding));
        var paid = 0;

        var body = await RequestBody.ReadAsync(_http.Context, count => paid += count, CancellationToken.None);

        Assert.Equal(text, Encoding.UTF8.GetString(body));
        Assert.Equal(text.Length, paid);
    }

    [Fact]
    public async Task An_unknown_coding_is_a_415_that_lists_the_known_ones()
    {
        _http.Request.Headers.ContentEncoding = "zstd";

        var problem = await Assert.ThrowsAsync<BundleProblemException>(ReadAsync);

        Assert.Equal((415, "gzip, br"), (problem.StatusCode, problem.AcceptEncoding));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_body_that_is_not_encoded_as_it_says_is_a_400(string coding)
    {
        _http.Request.Headers.ContentEncoding = coding;
        _http.Request.Body = new MemoryStream("this is not compressed"u8.ToArray());

        var problem = await Assert.ThrowsAsync<BundleProblemException>(ReadAsync);

        Assert.Equal((400, "The body cannot be decoded as its Content-Encoding says."), (problem.StatusCode, problem.Message));
    }

    [Theory]
    [InlineData(8 << 20, true)]
    [InlineData((8 << 20) + 1, false)]
    public async Task A_body_has_at_most_8_MiB_however_small_it_is_compressed(int length, bool isAccepted)
    {
        _http.Request.Headers.ContentEncoding = "br";
        _http.Request.Body = new MemoryStream(Encode(new string('a', length), "br"));

        var failure = await Record.ExceptionAsync(ReadAsync);

        Assert.Equal(isAccepted, failure is null);
        Assert.True(failure is null or BundleProblemException { StatusCode: 413, Message: "The body has more than 8388608 bytes." });
    }

    [Fact]
    public async Task A_declared_length_above_the_limit_is_a_413_before_a_byte_is_read()
    {
        _http.Request.ContentLength = (8 << 20) + 1;
        _http.Request.Body = Stream.Null;

        Assert.Equal(413, (await Assert.ThrowsAsync<BundleProblemException>(ReadAsync)).StatusCode);
    }

    [Fact]
    public async Task A_body_over_the_memory_limit_is_not_read_further()
    {
        _http.Request.Body = new MemoryStream(new byte[1 << 20]);
        var reads = 0;

        await Assert.ThrowsAsync<BundleProblemException>(() => RequestBody.ReadAsync(_http.Context, _ => Refuse(ref reads), CancellationToken.None));

        Assert.Equal(1, reads);
    }

    private static void Refuse(ref int reads)
    {
        reads++;
        throw BundleProblemException.TooLarge("No memory.");
    }

    private Task<ArraySegment<byte>> ReadAsync() => RequestBody.ReadAsync(_http.Context, _ => { }, CancellationToken.None);

    private static byte[] Encode(string text, string coding)
    {
        using var body = new MemoryStream();
        using (Stream encoder = coding.ToUpperInvariant() switch
        {
            "GZIP" or "X-GZIP" => new GZipStream(body, CompressionLevel.Fastest, leaveOpen: true),
            "BR" => new BrotliStream(body, CompressionLevel.Fastest, leaveOpen: true),
            _ => new BufferedStream(body),
        })
        {
            encoder.Write(Encoding.UTF8.GetBytes(text));
            encoder.Flush();
        }

        return body.ToArray();
    }
}
