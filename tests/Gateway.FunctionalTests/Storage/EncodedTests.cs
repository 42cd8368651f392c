using System.IO.Compression;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Testing;
using ZstdSharp;

namespace Gateway.FunctionalTests.Storage;

/// <summary>Objects that are stored with a Content-Encoding.</summary>
public sealed class EncodedTests : IAsyncDisposable
{
    private const string ETag = "\"stored\"";

    private readonly ScriptedUpstream _upstream = new();

    public static TheoryData<Protocol, string, string> Stored => Ways.With("gzip", "br", "zstd", "aws-chunked", "utf-8", "aws-chunked, gzip", "unheard-of");

    public static TheoryData<Protocol, string, string> Decoded => Ways.With("gzip", "br", "zstd", "aws-chunked, gzip");

    public static TheoryData<string, int> Sizes => Ways.Pairs(["gzip", "br", "zstd"], [0, 1, 70_000, 3_000_000]);

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [MemberData(nameof(Stored))]
    public async Task Row_19_The_entry_contains_the_stored_bytes(Protocol protocol, string recipe, string coding)
    {
        var stored = new ObjectContent(600_000, 1).ToArray();
        _upstream.Put("/a", stored, ETag, ("Content-Encoding", coding));
        await using var gateway = await GatewayUnderTest.StartAsync(_upstream.Address);
        foreach (var missing in new[] { "fail", "skip", "abort" })
        {
            _upstream.Fail("/a", Fault.Reset(300_000));
            var download = await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/a&receipt=true&missing={missing}&{recipe}");

            Assert.Equal(stored, download.RequireWhole()["s/a"]);
            Assert.Equal(coding, Receipt(download).GetProperty("encoding").GetString());
            Assert.Equal("None/None", (await gateway.Outcomes.NextAsync()).Blame);
        }
    }

    [Theory]
    [InlineData("gzip", "W/\"weak\"", false)]
    [InlineData("gzip", null, false)]
    [InlineData("gzip", ETag, true)]
    [InlineData("br", null, true)]
    public async Task Row_19_A_response_encoded_in_transit_is_reported_as_such(string coding, string? etag, bool isChunked)
    {
        _upstream.Put("/a", new byte[1000], etag, ("Content-Encoding", coding));
        _upstream.Fail("/a", new Fault { Chunked = isChunked, Times = 10 });
        foreach (var mode in new[] { "store", "decode" })
        {
            await using var gateway = await StartAsync(mode);

            var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=skip");

            download.RequireEarly(502);
            Assert.Contains("has a Content-Length and a strong ETag", Encoding.UTF8.GetString(download.Bytes), StringComparison.Ordinal);
            Assert.Equal("Upstream/Encoded", (await gateway.RequireOneOutcomeAsync()).Blame);
        }
    }

    [Fact]
    public async Task Row_19_A_part_need_not_repeat_the_encoding()
    {
        var stored = new ObjectContent(3_000_000, 1).ToArray();
        _upstream.Put("/a", stored, ETag, ("Content-Encoding", "gzip"));
        _upstream.Fail("/a", Fault.Reset(1_000_000), new Fault { Without = ["Content-Encoding"] });
        await using var gateway = await GatewayUnderTest.StartAsync(_upstream.Address);

        Assert.Equal(stored, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort")).RequireWhole()["s/a"]);
        Assert.Equal(1, (await gateway.RequireOneOutcomeAsync()).Resumes);
    }

    [Fact]
    public async Task Row_19_A_HEAD_without_the_encoding_changes_no_byte()
    {
        var stored = new ObjectContent(3_000_000, 1).ToArray();
        _upstream.Put("/a", stored, ETag, ("Content-Encoding", "gzip"));
        _upstream.Fail("/a", new Fault { Method = "HEAD", Without = ["Content-Encoding"], Times = 10 });
        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:LookaheadBytes", 0)], _upstream.Address);
        for (var i = 0; i < 2; i++)
        {
            var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&receipt=true");

            Assert.Equal(stored, download.RequireWhole()["s/a"]);
            Assert.Equal("gzip", Receipt(download).GetProperty("encoding").GetString());
            await gateway.Outcomes.NextAsync();
        }
    }

    [Theory]
    [MemberData(nameof(Decoded))]
    public async Task Row_19_An_object_is_decoded_if_its_route_is_configured_so(Protocol protocol, string recipe, string coding)
    {
        foreach (var size in new[] { 100_000, 2_000_000 })
        {
            var body = Put("/a", size, coding);
            await using var gateway = await StartAsync("decode");
            foreach (var missing in new[] { "fail", "skip", "abort" })
            {
                var download = await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/a&receipt=true&missing={missing}&{recipe}");

                Assert.Equal(body, download.RequireWhole()["s/a"]);
                var receipt = Receipt(download);
                Assert.Equal((coding, size), (receipt.GetProperty("decoded").GetString(), receipt.GetProperty("size").GetInt32()));
                Assert.Equal("None/None", (await gateway.Outcomes.NextAsync()).Blame);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task A_decoded_object_can_have_any_size(string coding, int size)
    {
        var body = Put("/a", size, coding);
        await using var gateway = await StartAsync("decode");
        foreach (var missing in new[] { "fail", "abort" })
        {
            Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=" + missing)).RequireWhole()["s/a"]);
            await gateway.Outcomes.NextAsync();
        }

        using var plan = JsonDocument.Parse(await gateway.Client.GetStringAsync("/bundle/plan?ids=s/a"));
        Assert.Equal((size, coding), (plan.RootElement.GetProperty("size").GetInt32(), plan.RootElement.GetProperty("entries")[0].GetProperty("decoded").GetString()));
        await gateway.Outcomes.NextAsync();
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("br", true)]
    [InlineData("zstd", true)]
    [InlineData("gzip", false)]
    public async Task A_decoded_body_that_breaks_is_continued(string coding, bool servesRanges)
    {
        var body = Put("/a", 5_000_000, coding);
        await using var gateway = await StartAsync("decode");
        await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");
        await gateway.Outcomes.NextAsync();

        _upstream.Fail("/a", Fault.Reset(100_000), new Fault { IgnoreRange = !servesRanges, After = 200_000, Ending = Ending.Close }, new Fault { IgnoreRange = !servesRanges });
        var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort");

        Assert.Equal(body, download.RequireWhole()["s/a"]);
        Assert.Equal(2, (await gateway.RequireOneOutcomeAsync()).Resumes);
    }

    [Fact]
    public async Task The_size_is_determined_once()
    {
        var body = Put("/a", 5_000_000, "gzip");
        await using var gateway = await StartAsync("decode");
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);
            await gateway.Outcomes.NextAsync();
        }

        Assert.Equal(7, _upstream.Requests.Count(request => request.Method == "GET"));
    }

    [Theory]
    [InlineData("format=tar")]
    [InlineData("format=tar.gz")]
    [InlineData("format=zip")]
    public async Task A_download_is_resumed_on_another_replica(string recipe)
    {
        Put("/a", 3_000_000, "gzip");
        Put("/b", 100_000, "br");
        var url = "/bundle?ids=s/a,s/b&" + recipe;
        await using var first = await StartAsync("decode");
        await using var second = await StartAsync("decode");
        var whole = await Download.GetAsync(first.Client, url);
        whole.RequireWhole();
        await first.Outcomes.NextAsync();

        foreach (var from in new[] { 1, 1_000_000, whole.Bytes.Length - 10 })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Range = new RangeHeaderValue(from, null);
            request.Headers.IfRange = new RangeConditionHeaderValue(whole.Response.Headers.ETag!);
            var rest = await Download.SendAsync(second.Client, request);
            await second.Outcomes.NextAsync();

            Assert.Equal(206, (int)rest.Status);
            Assert.True(whole.Bytes.AsSpan(from).SequenceEqual(rest.Bytes));
        }
    }

    [Theory]
    [InlineData(100_000)]
    [InlineData(3_000_000)]
    public async Task Checksums_of_storage_are_those_of_the_stored_bytes(int size)
    {
        var stored = Encode(new ObjectContent(size, 1).ToArray(), "gzip");
        _upstream.Put("/a", stored, ETag, ("Content-Encoding", "gzip"), ("x-amz-checksum-sha256", Convert.ToBase64String(SHA256.HashData(stored))));
        _upstream.Put("/b", stored, ETag, ("Content-Encoding", "gzip"), ("x-amz-checksum-sha256", Convert.ToBase64String(new byte[32])));
        await using var gateway = await StartAsync("decode");

        Assert.Equal(size, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"].Length);
        await gateway.Outcomes.NextAsync();
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/b")).RequireEarly(502);
        Assert.Equal("Upstream/ChecksumDiffers", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task A_manifest_describes_the_decoded_bytes()
    {
        var body = Put("/a", 2_000_000, "gzip");
        await using var gateway = await StartAsync("decode");
        foreach (var missing in new[] { "fail", "abort" })
        {
            var good = await PostAsync(gateway, new { missing, entries = new[] { new { id = "s/a", size = body.Length, etag = ETag, sha256 = Download.Hash(body) } } });
            Assert.Equal(body, good.RequireWhole()["s/a"]);
            await gateway.Outcomes.NextAsync();
        }

        (await PostAsync(gateway, new { entries = new[] { new { id = "s/a", size = body.Length + 1 } } })).RequireEarly(409);
        await gateway.Outcomes.NextAsync();
        (await PostAsync(gateway, new { missing = "abort", entries = new[] { new { id = "s/a", size = body.Length + 1 } } })).RequireCut();
        await gateway.Outcomes.NextAsync();
        (await PostAsync(gateway, new { missing = "abort", entries = new[] { new { id = "s/a", sha256 = Download.Hash([]) } } })).RequireCut();
        await gateway.Outcomes.NextAsync();
    }

    [Theory]
    [InlineData("gzip", 50_000)]
    [InlineData("br", 50_000)]
    [InlineData("zstd", 50_000)]
    [InlineData("gzip", 3_000_000)]
    [InlineData("br", 3_000_000)]
    [InlineData("zstd", 3_000_000)]
    public async Task An_object_that_cannot_be_decoded_is_502_or_cut(string coding, int size)
    {
        var stored = Encode(new ObjectContent(size, 1).ToArray(), coding);
        var damaged = stored.ToArray();
        damaged.AsSpan(stored.Length / 2, 100).Fill(0xEE);
        var damages = new Dictionary<string, byte[]> { ["short"] = stored[..(stored.Length / 2)], ["short-by-one"] = stored[..^1], ["none"] = [.. "This is not encoded."u8], ["damaged"] = damaged };
        foreach (var (name, bytes) in damages)
        {
            _upstream.Put("/" + name, bytes, ETag, ("Content-Encoding", coding));
        }

        await using var gateway = await StartAsync("decode");
        foreach (var name in damages.Keys)
        {
            var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/" + name);
            var outcome = await gateway.Outcomes.NextAsync();
            if (name == "damaged" && coding != "gzip" && (int)download.Status == 200)
            {
                // Without a checksum in the coding, damaged text is still valid text.
                continue;
            }

            download.RequireEarly(502);
            Assert.Equal("Upstream/DecodingFailed", outcome.Blame);
            (await Download.GetAsync(gateway.Client, "/bundle?missing=abort&ids=s/" + name)).RequireCut();
            Assert.Equal("Upstream/DecodingFailed", (await gateway.Outcomes.NextAsync()).Blame);
        }
    }

    [Theory]
    [InlineData("gzip", null, 100)]
    [InlineData("zstd", null, 200)]
    [InlineData("br", null, 200)]
    [InlineData("gzip", 500_000L, 100_000)]
    public async Task An_object_that_decodes_to_too_much_is_413_and_costs_little(string coding, long? maxBytes, int maxExpansion)
    {
        _upstream.Put("/bomb", Encode(new byte[50_000_000], coding), ETag, ("Content-Encoding", coding));
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.Encoded", "decode");
        GatewayUnderTest.Set(configuration, "Bundle:Upstream:MaxExpansion", maxExpansion);
        GatewayUnderTest.Set(configuration, "Bundle:Limits:MaxBytes", maxBytes ?? 0);
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);

        var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/bomb");
        download.RequireEarly(413);
        Assert.Contains("decodes to more than", Encoding.UTF8.GetString(download.Bytes), StringComparison.Ordinal);
        Assert.Equal("Upstream/ExpandsTooMuch", (await gateway.Outcomes.NextAsync()).Blame);
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/bomb&missing=abort")).RequireCut();
        Assert.Equal("Upstream/ExpandsTooMuch", (await gateway.Outcomes.NextAsync()).Blame);
    }

    [Fact]
    public async Task Gzip_of_several_members_is_decoded_whole()
    {
        var body = new ObjectContent(300_000, 1).ToArray();
        _upstream.Put("/a", [.. Encode(body[..100_000], "gzip"), .. Encode(body[100_000..], "gzip")], ETag, ("Content-Encoding", "gzip"));
        await using var gateway = await StartAsync("decode");

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);
        await gateway.RequireOneOutcomeAsync();
    }

    [Fact]
    public async Task Objects_without_an_encoding_or_with_an_unknown_one_are_sent_as_stored()
    {
        var plain = _upstream.Put("/plain", 100_000, seed: 1);
        var other = new ObjectContent(100_000, 2).ToArray();
        _upstream.Put("/other", other, ETag, ("Content-Encoding", "exi"));
        var encoded = Put("/encoded", 100_000, "gzip");
        await using var gateway = await StartAsync("decode");

        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/plain,s/other,s/encoded")).RequireWhole();

        Assert.Equal([plain, other, encoded], new[] { entries["s/plain"], entries["s/other"], entries["s/encoded"] });
        await gateway.RequireOneOutcomeAsync();
    }

    [Fact]
    public async Task Decoding_changes_the_ETag()
    {
        Put("/a", 1000, "gzip");
        await using var stored = await StartAsync("store");
        await using var decoded = await StartAsync("decode");

        var first = await Download.GetAsync(stored.Client, "/bundle?ids=s/a");
        var second = await Download.GetAsync(decoded.Client, "/bundle?ids=s/a");

        Assert.NotNull(first.Response.Headers.ETag);
        Assert.NotEqual(first.Response.Headers.ETag, second.Response.Headers.ETag);
        await stored.Outcomes.NextAsync();
        await decoded.Outcomes.NextAsync();
    }

    [Fact]
    public async Task Row_19_A_part_encoded_in_transit_is_rejected()
    {
        var body = new ObjectContent(3_000_000, 1).ToArray();
        _upstream.Put("/a", body, ETag);
        _upstream.Fail("/a", Fault.Close(1_000_000), new Fault { Chunked = true, Headers = new Dictionary<string, string> { ["Content-Encoding"] = "gzip" }, Times = 10 });
        await using var gateway = await GatewayUnderTest.StartAsync(_upstream.Address);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort&format=tar")).RequireCut();

        Assert.Equal("Upstream/Encoded", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("Content-Length", "0")]
    [InlineData("Content-Length", null)]
    [InlineData("ETag", null)]
    [InlineData("ETag", "\"other\"")]
    [InlineData("Last-Modified", null)]
    [InlineData("Content-Encoding", null)]
    [InlineData("Content-Encoding", "g zip")]
    public async Task Row_38_A_wrong_HEAD_of_an_encoded_object_changes_nothing(string header, string? value)
    {
        var body = Put("/a", 3_000_000, "gzip");
        _upstream.Put("/small", 1000, seed: 1);
        _upstream.Fail("/a", new Fault
        {
            Method = "HEAD",
            Headers = value is null ? new Dictionary<string, string>() : new Dictionary<string, string> { [header] = value },
            Without = value is null ? [header] : [],
            Times = 1000,
        });
        foreach (var mode in new[] { "store", "decode" })
        {
            await using var gateway = await StartAsync(mode);
            var tags = new HashSet<string>();
            for (var i = 0; i < 4; i++)
            {
                var ids = i % 2 == 0 ? "s/a" : "s/small,s/a";
                if (i == 2)
                {
                    using var head = await gateway.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/bundle?ids=s/a"));
                    tags.Add(head.Headers.ETag!.Tag);
                    await gateway.Outcomes.NextAsync();
                }

                var download = await Download.GetAsync(gateway.Client, "/bundle?format=tar&ids=" + ids);
                Assert.Equal(mode == "store" ? _upstream.Bytes("/a") : body, download.RequireWhole()["s/a"]);
                Assert.Equal("None/None", (await gateway.Outcomes.NextAsync()).Blame);
                if (i % 2 == 0)
                {
                    tags.Add(download.Response.Headers.ETag!.Tag);
                }
            }

            Assert.True(tags.Count <= 2, string.Join(' ', tags));
        }
    }

    [Fact]
    public async Task A_wrong_size_is_determined_again()
    {
        var right = Encode(new ObjectContent(2_000_000, 1).ToArray(), "gzip");
        var once = Encode(new ObjectContent(1_900_000, 1).ToArray(), "gzip");
        var length = Math.Max(right.Length, once.Length) + 100;

        // An empty member at the end, with a file name as padding.
        byte[] Pad(byte[] gzip) => [.. gzip, 0x1F, 0x8B, 8, 8, 0, 0, 0, 0, 0, 3, .. Enumerable.Repeat((byte)'x', length - gzip.Length - 21), 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

        _upstream.Put("/a", Pad(once), ETag, ("Content-Encoding", "gzip"));
        await using var gateway = await StartAsync("decode");
        using var plan = JsonDocument.Parse(await gateway.Client.GetStringAsync("/bundle/plan?ids=s/a"));
        Assert.Equal(1_900_000, plan.RootElement.GetProperty("size").GetInt32());
        await gateway.Outcomes.NextAsync();

        _upstream.Put("/a", Pad(right), ETag, ("Content-Encoding", "gzip"));
        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireCut();
        var outcome = await gateway.Outcomes.NextAsync();
        Assert.Equal(("Upstream/SizeDiffers", "d0"), (outcome.Blame, outcome.Fields["Destination"]));
        Assert.Equal(2_000_000, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"].Length);
        await gateway.Outcomes.NextAsync();
    }

    [Fact]
    public async Task Slow_encoded_objects_of_one_request_do_not_stop_those_of_others()
    {
        for (var i = 0; i < 20; i++)
        {
            Put($"/slow{i}", 3_000_000, "gzip");
            _upstream.Fail($"/slow{i}", new Fault { After = 1000, Ending = Ending.Stall, Times = 100 });
        }

        var body = Put("/a", 1000, "gzip");
        await using var gateway = await StartAsync("decode");
        using var leave = new CancellationTokenSource();
        var slow = gateway.Client.GetAsync("/bundle/plan?ids=" + string.Join(',', Enumerable.Range(0, 20).Select(i => $"s/slow{i}")), leave.Token);
        await Eventually.TrueAsync(() => _upstream.Answering > 1, "slow objects are being read");

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => slow);
        await gateway.Outcomes.NextAsync();
        await gateway.Outcomes.NextAsync();
    }

    private static JsonElement Receipt(Download download) =>
        JsonDocument.Parse(Download.ReadEntries(download.Bytes)["MANIFEST.json"]).RootElement.GetProperty("entries")[0];

    private static async Task<Download> PostAsync(GatewayUnderTest gateway, object manifest)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = JsonContent.Create(manifest) };
        return await Download.SendAsync(gateway.Client, request);
    }

    private static byte[] Encode(byte[] bytes, string coding)
    {
        using var stored = new MemoryStream();
        using (Stream encoder = coding switch
        {
            "br" => new BrotliStream(stored, CompressionLevel.Fastest, leaveOpen: true),
            "zstd" => new CompressionStream(stored, leaveOpen: true),
            _ => new GZipStream(stored, CompressionLevel.Fastest, leaveOpen: true),
        })
        {
            encoder.Write(bytes);
        }

        return stored.ToArray();
    }

    private Task<GatewayUnderTest> StartAsync(string mode)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.Encoded", mode);
        return GatewayUnderTest.StartAsync(configuration);
    }

    private byte[] Put(string path, int size, string coding)
    {
        var body = new ObjectContent(size, 1).ToArray();
        _upstream.Put(path, Encode(body, coding), ETag, ("Content-Encoding", coding));
        return body;
    }
}
