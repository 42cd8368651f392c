using System.IO.Compression;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Responses;

/// <summary>What a client gets after an invalid request: a document for programs, a page for people.</summary>
public sealed class ProblemTests : IClassFixture<ProblemTests.Host>
{
    private const string Browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

    private readonly ScriptedUpstream _upstream;
    private readonly GatewayUnderTest _gateway;

    public ProblemTests(Host host) => (_upstream, _gateway) = (host.Upstream, host.Gateway);

    [Theory]
    [InlineData("ids[]=s/x", "There is no parameter 'ids[]'. Write ids=a,b or repeat ids=.")]
    [InlineData("ids%5B0%5D=s/x", "There is no parameter 'ids[0]'. Write ids=a,b or repeat ids=.")]
    [InlineData("id[]=s/x", "Write ids=a,b or repeat ids=.")]
    [InlineData("format[]=zip&ids=s/x", "Write format=.")]
    [InlineData("Format=zip&ids=s/x", "There is no parameter 'Format'. Write 'format'.")]
    [InlineData("ids=s/x&utm_source=x", "There is no parameter 'utm_source'. Known: ids, id, format")]
    [InlineData("ids=s/x&%E2%80%8B=x", "There is no parameter '\\u{200B}'.")]
    [InlineData("ids=s/%E9t%E9", "The parameter 'ids' is not UTF-8.")]
    [InlineData("id=s/%FF", "The parameter 'id' is not UTF-8.")]
    [InlineData("ids=s/%C0%AE", "The parameter 'ids' is not UTF-8.")]
    [InlineData("ids=s/x&name=%E9", "The parameter 'name' is not UTF-8.")]
    [InlineData("ids=", "Some entries cannot be bundled.")]
    [InlineData("ids=,", "Some entries cannot be bundled.")]
    public async Task A_mistake_in_the_query_is_reported(string query, string title)
    {
        var download = await Download.GetAsync(_gateway.Client, "/bundle?" + query);

        download.RequireEarly(400);
        Assert.Contains(title, Title(download), StringComparison.Ordinal);
        Assert.DoesNotContain(_upstream.Requests, request => request.Path == "/x");
    }

    [Theory]
    [InlineData("ids=s/a,s/b,")]
    [InlineData("ids=s/a,s/b%20")]
    [InlineData("ids=s/a,s/b+")]
    [InlineData("ids=s/a,s/b,%20")]
    public async Task One_space_or_comma_at_the_end_of_ids_is_ignored(string query) =>
        Assert.Equal(["s/a", "s/b"], (await Download.GetAsync(_gateway.Client, "/bundle?" + query)).RequireWhole().Keys);

    [Theory]
    [InlineData("name=x.zip&format=zip", "x.zip")]
    [InlineData("name=x.ZIP&format=zip", "x.zip")]
    [InlineData("name=x.tar.gz", "x.tar.gz")]
    [InlineData("name=x.tgz", "x.tar.gz")]
    [InlineData("name=x.tar&format=tar", "x.tar")]
    [InlineData("name=x.zip", "x.zip.tar.gz")]
    [InlineData("name=.zip&format=zip", "zip.zip")]
    [InlineData("name=CON", "_CON.tar.gz")]
    [InlineData("name=nul.txt", "_nul.txt.tar.gz")]
    [InlineData("name=com1&format=zip", "_com1.zip")]
    public async Task The_name_of_a_download_has_its_extension_once_and_is_not_a_device_name(string query, string name)
    {
        var download = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a&" + query);

        Assert.Equal(name, download.Response.Content.Headers.ContentDisposition!.FileName!.Trim('"'));
    }

    [Theory]
    [InlineData("", "The body is empty.")]
    [InlineData(" \n", "The body is empty.")]
    [InlineData("[]", "$: an object with 'entries' is expected (line 1, byte 1)")]
    [InlineData("{\"ids\":[\"s/x\"]}", "$.ids: unknown field; known: name, format, compression, missing, receipt, entries, expiresIn, pin (line 1, byte 2)")]
    [InlineData("{\"entries\":[\"s/x\"]}", "$.entries[0]: an object with an id is expected, for example {\"id\":\"source/key\"} (line 1, byte 13)")]
    [InlineData("{\"entries\":\"s/x\"}", "$.entries: an array of objects is expected, each with an id")]
    [InlineData("{\"entries\":[{\"id\":\"s/x\"},\n  {\"nmae\":\"x\"}]}", "$.entries[1].nmae: unknown field; known: id, name, size, etag, sha256 (line 2, byte 4)")]
    [InlineData("{\"entries\":[{\"name\":\"x\"}]}", "$.entries[0]: an object with an id is expected (line 1, byte 13)")]
    [InlineData("{\"entries\":[{\"id\":null}]}", "$.entries[0]: an object with an id is expected")]
    [InlineData("{\"entries\":[{\"id\":7}]}", "$.entries[0].id: a string is expected")]
    [InlineData("{\"entries\":[{\"id\":\"s/x\",\"size\":\"7\"}]}", "$.entries[0].size: a whole number of bytes is expected")]
    [InlineData("{\"entries\":[{\"id\":\"s/x\",\"size\":1.5}]}", "$.entries[0].size: a whole number of bytes is expected")]
    [InlineData("{\"entries\":[{\"id\":\"s/x\",\"id\":\"s/b\"}]}", "$.entries[0].id: duplicate field")]
    [InlineData("{\"entries\":[{\"id\":\"\\ud800\"}]}", "$.entries[0].id: an unpaired surrogate is not a character")]
    [InlineData("{\"\\ud800\":1}", "$: an unpaired surrogate is not a character")]
    [InlineData("{\"entries\":[{\"\\ud800\":1}]}", "$.entries[0]: an unpaired surrogate is not a character")]
    [InlineData("{\"receipt\":\"yes\"}", "$.receipt: true or false is expected")]
    [InlineData("{\"entries\":[{\"id\":\"s/x\"}],}", "syntax error in line 1, byte ")]
    [InlineData("{\"entries\":[{\"id\":\"s/x\"}]", "syntax error in line 1, byte ")]
    [InlineData("{\"entries\":[{\"id\":\"s/x\"}]} x", "syntax error in line 1, byte ")]
    [InlineData("{\"entries\":[{\"a\\u200bb\":1}]}", "$.entries[0].a\\u{200B}b: unknown field")]
    public async Task A_mistake_in_a_manifest_is_reported_with_its_position(string json, string title)
    {
        foreach (var door in new[] { "/bundle", "/bundle/plan", "/bundle/links" })
        {
            var download = await PostAsync(door, Encoding.UTF8.GetBytes(json), "application/json");

            download.RequireEarly(400);
            Assert.Contains(title, Title(download), StringComparison.Ordinal);
        }

        Assert.DoesNotContain(_upstream.Requests, request => request.Path == "/x");
    }

    [Theory]
    [InlineData("{\"entries\":[]}", "application/x-www-form-urlencoded", 400, "The body is JSON, but its Content-Type is that of a form.")]
    [InlineData(" \n[1]", "application/x-www-form-urlencoded", 400, "The body is JSON")]
    [InlineData("{\"entries\":[]}", "text/plain", 415, "Send a JSON manifest with Content-Type: application/json")]
    [InlineData("{\"entries\":[]}", null, 415, "Send a JSON manifest with Content-Type: application/json")]
    [InlineData("{\"entries\":[]}", "multipart/form-data; boundary=x", 415, "Send a JSON manifest")]
    [InlineData("{\"entries\":[]}", "application/json; charset=iso-8859-1", 415, "must be UTF-8")]
    [InlineData("ids=s/a", "application/x-www-form-urlencoded; charset=windows-1252", 415, "must be UTF-8")]
    [InlineData("ids=s/%E9", "application/x-www-form-urlencoded", 400, "The form is not UTF-8.")]
    [InlineData("ids[]=s/a", "application/x-www-form-urlencoded", 400, "There is no parameter 'ids[]'.")]
    public async Task An_invalid_body_is_rejected_with_what_was_expected(string body, string? type, int status, string title)
    {
        var download = await PostAsync("/bundle", Encoding.UTF8.GetBytes(body), type);

        download.RequireEarly(status);
        Assert.Contains(title, Title(download), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/json; charset=\"UTF-8\"")]
    [InlineData("application/problem+json")]
    public async Task A_manifest_in_UTF_8_is_read(string type) =>
        (await PostAsync("/bundle", [.. Encoding.UTF8.Preamble, .. "{\"entries\":[{\"id\":\"s/a\"}]}"u8], type)).RequireWhole();

    [Theory]
    [InlineData("gzip")]
    [InlineData("GZIP")]
    [InlineData("br")]
    [InlineData("identity")]
    public async Task A_compressed_manifest_is_decompressed(string coding) =>
        (await PostAsync("/bundle", Encode("{\"entries\":[{\"id\":\"s/a\"}]}"u8.ToArray(), coding), "application/json", coding)).RequireWhole();

    [Fact]
    public async Task The_server_s_body_limit_does_not_apply_to_manifests()
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Kestrel:Limits:MaxRequestBodySize", 100);
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        var manifest = "{\"entries\":[{\"id\":\"s/a\"}]}" + new string(' ', 1000);
        foreach (var content in new HttpContent[] { new StringContent(manifest, Encoding.UTF8, "application/json"), new ByteArrayContent(Encode(Encoding.UTF8.GetBytes(manifest), "gzip")) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = content };
            if (content is not StringContent)
            {
                content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                content.Headers.ContentEncoding.Add("gzip");
            }

            (await Download.SendAsync(gateway.Client, request)).RequireWhole();
        }

        using var proxied = await gateway.Client.PostAsync("/s/a", new StringContent(manifest));
        Assert.False(proxied.IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_compressed_manifest_is_limited_in_size_and_must_match_its_Content_Encoding()
    {
        var bomb = Encode(new byte[64 << 20], "gzip");
        (await PostAsync("/bundle", bomb, "application/json", "gzip")).RequireEarly(413);
        (await PostAsync("/bundle", "{}"u8.ToArray(), "application/json", "gzip")).RequireEarly(400);
        (await PostAsync("/bundle", "{}"u8.ToArray(), "application/json", "br")).RequireEarly(400);

        var unknown = await PostAsync("/bundle", "{}"u8.ToArray(), "application/json", "zstd");
        unknown.RequireEarly(415);
        Assert.Equal("gzip, br", string.Join(", ", unknown.Response.Headers.GetValues("Accept-Encoding")));
        (await PostAsync("/bundle", "{}"u8.ToArray(), "application/json", "gzip, br")).RequireEarly(415);
    }

    [Fact]
    public async Task A_link_ignores_tracking_parameters_and_rejects_parameters_of_bundles()
    {
        using var created = await _gateway.Client.PostAsync("/bundle/links", new FormUrlEncodedContent([new("ids", "s/a"), new("format", "tar")]));
        var url = created.Headers.Location!.ToString();

        var plain = await Download.GetAsync(_gateway.Client, url);
        Assert.Equal(plain.Bytes, (await Download.GetAsync(_gateway.Client, url + "?utm_source=mail&fbclid=%FFx&a=1&a=2&%00")).Bytes);
        var refused = await Download.GetAsync(_gateway.Client, url + "?format=zip");
        refused.RequireEarly(400);
        Assert.Contains("'format'", Title(refused), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Browser, true)]
    [InlineData("text/html", true)]
    [InlineData("text/html, */*", true)]
    [InlineData("text/html;q=0.5, application/json;q=0.4", true)]
    [InlineData(null, false)]
    [InlineData("*/*", false)]
    [InlineData("application/json", false)]
    [InlineData("application/json, text/html", false)]
    [InlineData("text/html, application/problem+json", false)]
    [InlineData("text/html, application/*", false)]
    [InlineData("text/html;q=0", false)]
    [InlineData("text/*", false)]
    [InlineData("nonsense", false)]
    [InlineData("image/png", false)]
    public async Task A_browser_gets_a_page_and_a_program_gets_JSON(string? accept, bool isPage)
    {
        foreach (var url in new[] { "/bundle?ids=s/none", "/bundle/links/xyz", "/bundle", "/bundle?ids=" + new string('x', 9000), "/x/..%2fy" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.TryAddWithoutValidation("Accept", accept);

            using var response = await _gateway.Client.SendAsync(request);

            Assert.InRange((int)response.StatusCode, 400, 499);
            Assert.Equal(isPage ? "text/html" : "application/problem+json", response.Content.Headers.ContentType!.MediaType);
            Assert.Equal("Accept", string.Join(", ", response.Headers.Vary));
            Assert.True(response.Headers.CacheControl!.NoStore);
        }
    }

    [Fact]
    public async Task The_page_escapes_everything_and_allows_only_its_own_style()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/%3Cscript%3Ealert(1)%3C%2Fscript%3E,s/%22%27%26&format=%3Cimg%20src%3Dx%3E");
        using var none = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/none,s/%26%27%E2%82%AC");
        request.Headers.TryAddWithoutValidation("Accept", Browser);
        none.Headers.TryAddWithoutValidation("Accept", Browser);

        foreach (var (message, status) in new[] { (request, 400), (none, 404) })
        {
            using var response = await _gateway.Client.SendAsync(message);
            var page = await response.Content.ReadAsStringAsync();

            Assert.Equal(status, (int)response.StatusCode);
            Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("<img", page, StringComparison.OrdinalIgnoreCase);
            Assert.StartsWith("default-src 'none'; style-src 'sha256-", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("no-referrer", response.Headers.GetValues("Referrer-Policy").Single());
            Assert.Contains($"Error {status}", page, StringComparison.Ordinal);
            if (status == 404)
            {
                Assert.Contains("<td>s/none</td><td>no such object</td>", page, StringComparison.Ordinal);
                Assert.Contains("<td>s/&amp;&#x27;&#x20AC;</td>", page, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("/bundle?ids=s/grüße")]
    [InlineData("/s/grüße")]
    [InlineData("/日本")]
    public async Task A_request_line_that_is_not_ASCII_gets_a_document(string target)
    {
        var response = await RawHttp.SendAsync(_gateway.Address, target);

        Assert.Equal(400, RawHttp.StatusOf(response));
        var document = JsonNode.Parse(response.Split("\r\n\r\n", 2)[1])!;
        Assert.Contains("percent-encode", document["title"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(400, document["status"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_header_that_is_not_ASCII_and_a_request_in_pieces_are_accepted()
    {
        Assert.Equal(200, RawHttp.StatusOf(await RawHttp.SendAsync(_gateway.Address, "/health/live", headers: "X-Name: grüße\r\n")));

        using var client = new TcpClient();
        await client.ConnectAsync(_gateway.Address.Host, _gateway.Address.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        foreach (var piece in new[] { "G", "ET /health/live HTTP/1.1\r\nHost: x\r\nConnec", "tion: close\r\n\r\n" })
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(piece), TestContext.Current.CancellationToken);
            await stream.FlushAsync(TestContext.Current.CancellationToken);
        }

        using var reader = new StreamReader(stream);
        Assert.Equal(200, RawHttp.StatusOf(await reader.ReadToEndAsync(TestContext.Current.CancellationToken)));
    }

    [Theory]
    [InlineData("/bundle", "Content-Type: application/json\r\n", 413)]
    [InlineData("/bundle/links", "Content-Type: application/json\r\n", 413)]
    [InlineData("/bundle/plan", "Content-Type: text/plain\r\n", 415)]
    [InlineData("/bundle?ids=s/a", "Content-Type: application/json\r\n", 400)]
    [InlineData("/nowhere", "", 404)]
    [InlineData("/x/..%2fy", "", 400)]
    [InlineData("/health/live", "", 200)]
    public async Task A_client_that_reads_only_after_sending_everything_gets_the_response(string target, string headers, int status)
    {
        foreach (var isChunked in new[] { false, true })
        {
            const int Length = 40 << 20;
            var response = await WriteFirstAsync(target, headers, isChunked, isChunked ? 20 << 20 : Length);

            Assert.Equal(status, RawHttp.StatusOf(response));
        }
    }

    private async Task<string> WriteFirstAsync(string target, string headers, bool isChunked, int length)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var client = new TcpClient();
        await client.ConnectAsync(_gateway.Address.Host, _gateway.Address.Port, patience.Token);
        await using var stream = client.GetStream();
        var framing = isChunked ? "Transfer-Encoding: chunked" : $"Content-Length: {length}";
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}{framing}\r\n\r\n"), patience.Token);
        var piece = new byte[1 << 20];
        piece.AsSpan().Fill((byte)' ');
        for (var sent = 0; sent < length; sent += piece.Length)
        {
            if (isChunked)
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"{piece.Length:x}\r\n"), patience.Token);
            }

            await stream.WriteAsync(piece, patience.Token);
            if (isChunked)
            {
                await stream.WriteAsync("\r\n"u8.ToArray(), patience.Token);
            }
        }

        if (isChunked)
        {
            await stream.WriteAsync("0\r\n\r\n"u8.ToArray(), patience.Token);
        }

        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(patience.Token);
    }

    private async Task<Download> PostAsync(string url, byte[] body, string? type, string? coding = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        if (coding is not null)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Encoding", coding);
        }

        return await Download.SendAsync(_gateway.Client, request);
    }

    private static byte[] Encode(byte[] plain, string coding)
    {
        using var encoded = new MemoryStream();
        using (Stream stream = coding.ToLowerInvariant() switch
        {
            "gzip" => new GZipStream(encoded, CompressionLevel.Fastest, leaveOpen: true),
            "br" => new BrotliStream(encoded, CompressionLevel.Fastest, leaveOpen: true),
            _ => encoded,
        })
        {
            stream.Write(plain);
        }

        return encoded.ToArray();
    }

    private static string Title(Download download) => JsonNode.Parse(download.Bytes)!["title"]!.GetValue<string>();

    /// <summary>One storage and one gateway for all tests here, which run at the same time. No test changes the objects, and only invalid requests name <c>s/x</c>.</summary>
    public sealed class Host : IAsyncLifetime
    {
        internal ScriptedUpstream Upstream { get; } = new();

        internal GatewayUnderTest Gateway { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            foreach (var key in new[] { "a", "b", "x" })
            {
                Upstream.Put("/" + key, 1000, seed: key[0]);
            }

            Gateway = await GatewayUnderTest.StartAsync(Upstream.Address);
        }

        public async ValueTask DisposeAsync()
        {
            await Gateway.DisposeAsync();
            await Upstream.DisposeAsync();
        }
    }
}
