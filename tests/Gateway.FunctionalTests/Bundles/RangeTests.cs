using System.Net;
using System.Net.Http.Headers;
using CsCheck;
using Testing;

namespace Gateway.FunctionalTests.Bundles;

/// <summary>Conditions and ranges: the contract's third section.</summary>
public sealed class RangeTests : IAsyncLifetime
{
    private const string Tar = "/bundle?ids=s/a,s/b,s/c,s/d&format=tar";
    private const string Stored = "/bundle?ids=s/a,s/b,s/c,s/d&compression=store";
    private const string Fast = "/bundle?ids=s/a,s/b,s/c,s/d";
    private const string Zst = Fast + "&format=tar.zst";
    private const string Zip = Fast + "&format=zip";
    private const string StoredZip = Zip + "&compression=store";

    private readonly ScriptedUpstream _upstream = new();
    private GatewayUnderTest _gateway = null!;
    private GatewayUnderTest _replica = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream.Put("/a", 1000, seed: 1);
        _upstream.Put("/b", 0, seed: 2);
        _upstream.Put("/c", 700_000, seed: 3);
        _upstream.Put("/d", 1024, seed: 4, compressible: false);
        _gateway = await GatewayUnderTest.StartAsync(_upstream.Address);
        _replica = await GatewayUnderTest.StartAsync(_upstream.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _replica.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData(Tar)]
    [InlineData(Stored)]
    [InlineData(Fast)]
    [InlineData(Fast + "&compression=small")]
    [InlineData(Zst)]
    [InlineData(Zip)]
    [InlineData(StoredZip)]
    public async Task Every_remainder_from_another_replica_continues_the_whole(string url)
    {
        var whole = await Download.GetAsync(_gateway.Client, url);
        var etag = whole.Response.Headers.ETag!;

        await Gen.Int[1, whole.Bytes.Length - 1].SampleAsync(
            async from =>
            {
                await using var fresh = await GatewayUnderTest.StartAsync(_upstream.Address);
                var rest = await GetAsync(fresh, url, new RangeHeaderValue(from, null), etag);
                return rest is { Status: HttpStatusCode.PartialContent, IsCut: false }
                    && rest.Response.Content.Headers.ContentRange!.From == from
                    && rest.Bytes.AsSpan().SequenceEqual(whole.Bytes.AsSpan(from));
            },
            iter: 15,
            threads: 1);
    }

    [Theory]
    [InlineData(Tar)]
    [InlineData(Stored)]
    [InlineData(StoredZip)]
    [InlineData(Zst + "&compression=store")]
    public async Task A_computable_length_is_sent_and_limits_the_ranges(string url)
    {
        var whole = await Download.GetAsync(_gateway.Client, url);
        var length = whole.Bytes.Length;
        using var head = await _replica.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, url));
        Assert.Equal(length, whole.Response.Content.Headers.ContentLength);
        Assert.Equal(length, head.Content.Headers.ContentLength);
        Assert.Equal("bytes", head.Headers.AcceptRanges.Single());

        foreach (var (from, to, first, end) in new (long? From, long? To, int First, int End)[]
            { (0, 0, 0, 1), (5, 1500, 5, 1501), (512, 1511, 512, 1512), (null, 100, length - 100, length), (null, 10_000_000, 0, length), (length - 1, 99_999_999, length - 1, length), (700_000, 700_100, 700_000, 700_101) })
        {
            var part = await GetAsync(_replica, url, new RangeHeaderValue(from, to));

            Assert.Equal(HttpStatusCode.PartialContent, part.Status);
            Assert.Equal($"bytes {first}-{end - 1}/{length}", part.Response.Content.Headers.ContentRange!.ToString());
            Assert.Equal(end - first, part.Response.Content.Headers.ContentLength);
            Assert.Equal(whole.Bytes[first..end], part.Bytes);
        }

        foreach (var range in new[] { new RangeHeaderValue(length, null), new RangeHeaderValue(null, 0) })
        {
            var refused = await GetAsync(_replica, url, range);
            refused.RequireEarly(416);
            Assert.Equal($"bytes */{length}", refused.Response.Content.Headers.ContentRange!.ToString());
        }
    }

    [Fact]
    public async Task A_length_known_only_after_writing_is_omitted_until_the_archive_was_written_once()
    {
        var etag = (await HeadAsync(_gateway, Fast)).Headers.ETag!;
        var rest = await GetAsync(_gateway, Fast, new RangeHeaderValue(100, null), etag);
        Assert.Equal("bytes 100-9007199254740991/*", rest.Response.Content.Headers.ContentRange!.ToString());

        var far = await GetAsync(_replica, Fast, new RangeHeaderValue(50_000_000, null), etag);
        far.RequireEarly(416);
        Assert.False(far.Response.Content.Headers.Contains("Content-Range"));
        var beyond = await GetAsync(_replica, Fast, new RangeHeaderValue(100 + rest.Bytes.Length, null), etag);
        beyond.RequireEarly(416);
        Assert.Equal($"bytes */{100 + rest.Bytes.Length}", beyond.Response.Content.Headers.ContentRange!.ToString());

        foreach (var gateway in new[] { _gateway, _replica })
        {
            Assert.Equal(100 + rest.Bytes.Length, (await HeadAsync(gateway, Fast)).Content.Headers.ContentLength);
            Assert.Equal($"bytes 100-199/{100 + rest.Bytes.Length}", (await GetAsync(gateway, Fast, new RangeHeaderValue(100, 199))).Response.Content.Headers.ContentRange!.ToString());
        }
    }

    [Fact]
    public async Task For_a_range_of_a_tar_only_that_range_is_read_from_storage()
    {
        var whole = await Download.GetAsync(_gateway.Client, Tar);
        await HeadAsync(_replica, Tar);
        var before = _upstream.Requests.Count;

        // Within the body of c, which begins after two headers, a's body and its own header.
        const int Body = 512 + 1024 + 512 + 512;
        var rest = await GetAsync(_replica, Tar, new RangeHeaderValue(Body + 650_000, null));

        Assert.Equal(whole.Bytes[(Body + 650_000)..], rest.Bytes);
        Assert.Equal(
            ["/c bytes=650000-", "/d "],
            _upstream.Requests.Skip(before).Where(request => request.Method == "GET").Select(request => $"{request.Path} {request.Header("Range")}").Order());
    }

    [Theory]
    [InlineData("")]
    [InlineData("&compression=small")]
    [InlineData("&compression=store")]
    [InlineData("&format=tar.zst")]
    [InlineData("&format=zip")]
    [InlineData("&format=zip&compression=store")]
    public async Task An_archive_that_was_written_once_is_resumed_at_the_last_checkpoint(string compression)
    {
        foreach (var i in Enumerable.Range(0, 8))
        {
            _upstream.Put($"/e{i}", 2_500_000 + i, seed: i, compressible: i % 2 == 0);
        }

        var url = "/bundle?ids=" + string.Join(',', Enumerable.Range(0, 8).Select(i => $"s/e{i}")) + compression;
        var whole = await Download.GetAsync(_gateway.Client, url);

        foreach (var part in new[] { 0.3, 0.55, 0.9 })
        {
            var from = (int)(whole.Bytes.Length * part);
            var before = _upstream.BodyBytes;
            var rest = await GetAsync(_gateway, url, new RangeHeaderValue(from, null), whole.Response.Headers.ETag!);

            Assert.Equal(whole.Bytes[from..], rest.Bytes);

            // The remainder, uncompressed, and at most an interval, a block and an object that was begun before.
            Assert.InRange(_upstream.BodyBytes - before, 1, (long)(20_000_000 * (1 - part)) + (4 << 20) + (512 << 10) + 2_500_000);
        }
    }

    [Theory]
    [InlineData(500_000, 999_999, 600_000)]
    [InlineData(10 * ((32 * 1024) - 256), 15_000_000, 14_000_000)]
    [InlineData(12_345, 15_000_000, 14_000_000)]
    [InlineData(12_345, 15_000_000, 1)]
    public async Task A_part_of_a_stored_zip_records_nothing_wrong(int from, int to, int then)
    {
        _upstream.Put("/large", to < 1_000_000 ? 1_000_000 : 20_000_000, seed: 9);
        const string Url = "/bundle?ids=s/large,s/c&format=zip&compression=store";
        var whole = await Download.GetAsync(_gateway.Client, Url);
        var body = 30 + BitConverter.ToUInt16(whole.Bytes, 26) + BitConverter.ToUInt16(whole.Bytes, 28);

        var part = await GetAsync(_replica, Url, new RangeHeaderValue(body + from, body + to));
        var rest = await GetAsync(_replica, Url, new RangeHeaderValue(body + then, null));

        Assert.Equal(whole.Bytes[(body + from)..(body + to + 1)], part.Bytes);
        Assert.Equal(whole.Bytes[(body + then)..], rest.Bytes);
        Assert.DoesNotContain(_replica.Outcomes.Lines, line => line.Contains("not of it", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Concurrent_ranges_of_all_kinds_record_nothing_wrong()
    {
        int[] sizes = [9_000_000, 0, 131_072, 1, 6_000_000, 512];
        for (var i = 0; i < sizes.Length; i++)
        {
            _upstream.Put($"/o{i}", sizes[i], seed: i, compressible: i % 2 == 0);
        }

        var random = new Random(5);
        foreach (var recipe in new[] { "format=zip&compression=store", "format=zip&receipt=true", "format=tar&receipt=true", "format=tar.zst" }.Take(Matrix.Of(full: 4, reduced: 2)))
        {
            var url = "/bundle?ids=" + string.Join(',', sizes.Select((_, i) => $"s/o{i}")) + "&" + recipe;
            var whole = await Download.GetAsync(_gateway.Client, url);
            await using var fresh = await GatewayUnderTest.StartAsync(_upstream.Address);
            await Task.WhenAll(Enumerable.Range(0, Matrix.Of(full: 12, reduced: 6)).Select(i => (From: random.Next(1, whole.Bytes.Length), IsBounded: i % 2 == 0, IsBrowser: i % 3 == 0)).ToArray().Select(async range =>
            {
                var to = range.IsBounded ? Math.Min(range.From + 3_000_000, whole.Bytes.Length) - 1 : whole.Bytes.Length - 1;
                using var request = new HttpRequestMessage(HttpMethod.Get, url);
                request.Headers.Range = new RangeHeaderValue(range.From, range.IsBounded ? to : null);
                if (range.IsBrowser)
                {
                    request.Headers.Add("Sec-Fetch-Mode", "navigate");
                }

                var part = await Download.SendAsync(fresh.Client, request);
                Assert.False(part.IsCut);
                Assert.Equal(part.Status == HttpStatusCode.OK ? whole.Bytes : whole.Bytes[range.From..(to + 1)], part.Bytes);
            }));
        }
    }

    [Theory]
    [InlineData("tar", 1536)]
    [InlineData("zip&compression=store", 0)]
    public async Task A_storage_failure_after_the_first_header_of_a_range_never_mixes_archive_and_problem_document(string format, int start)
    {
        _upstream.Put("/large", 3_000_000, seed: 2);
        var url = "/bundle?ids=s/a,s/large&format=" + format;
        var whole = await Download.GetAsync(_gateway.Client, url);
        start = start > 0 ? start : whole.Bytes.AsSpan(10).IndexOf("PK\u0003\u0004"u8) + 10;
        _upstream.Fail("/large", new Fault { After = 0, Ending = Ending.Reset, Times = 200 });

        var download = await GetAsync(_gateway, url, new RangeHeaderValue(start, null));

        Assert.True(download.IsCut || download.Bytes is [(byte)'{', ..], System.Text.Encoding.Latin1.GetString(download.Bytes));
        await _gateway.Outcomes.NextAsync();
        Assert.StartsWith("Upstream/", (await _gateway.RequireOneOutcomeAsync()).Blame, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resuming_works_with_storage_that_does_not_support_ranges()
    {
        var whole = await Download.GetAsync(_gateway.Client, Tar);
        _upstream.Fail("/c", new Fault { IgnoreRange = true, Times = 20 });

        var rest = await GetAsync(_replica, Tar, new RangeHeaderValue(400_000, null));

        Assert.Equal(whole.Bytes[400_000..], rest.Bytes);
    }

    [Theory]
    [InlineData("format=tar.gz", true)]
    [InlineData("format=tar.gz", false)]
    [InlineData("format=zip", true)]
    [InlineData("format=tar.zst", false)]
    public async Task An_object_that_changed_under_the_same_validator_aborts_once_and_is_whole_from_then_on(string recipe, bool grows)
    {
        await using var upstream = new ScriptedUpstream();
        var (easy, hard) = (new ObjectContent(300_000, 1), new ObjectContent(300_000, 1, compressible: false));
        upstream.Put("/a", grows ? easy : hard, "\"same\"");
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        var url = $"/bundle?ids=s/a&{recipe}";
        (await Download.GetAsync(gateway.Client, url)).RequireWhole();
        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
        upstream.Put("/a", grows ? hard : easy, "\"same\"");

        Assert.True((await Download.GetAsync(gateway.Client, url)).IsCut);
        Assert.Equal("Upstream/ArchiveChanged", (await gateway.RequireOneOutcomeAsync()).Blame);

        Assert.Equal((grows ? hard : easy).ToArray(), (await Download.GetAsync(gateway.Client, url)).RequireWhole()["s/a"]);
        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("bytes=0-10,20-30", null)]
    [InlineData("bytes=", null)]
    [InlineData("bytes=-", null)]
    [InlineData("bytes=a-b", null)]
    [InlineData("bytes=5-2", null)]
    [InlineData("bytes=5", null)]
    [InlineData("bytes=5-,", null)]
    [InlineData("bytes=--5", null)]
    [InlineData("bytes=0x5-", null)]
    [InlineData("bytes=99999999999999999999-", null)]
    [InlineData("bytes=5-99999999999999999999", null)]
    [InlineData("bytes=-99999999999999999999", null)]
    [InlineData("bytes", null)]
    [InlineData("", null)]
    [InlineData("@many", null)]
    [InlineData("lines=5-", null)]
    [InlineData("bytes=5-", "\"another\"")]
    [InlineData("bytes=5-", "*")]
    [InlineData("bytes=5-", "nonsense")]
    [InlineData("bytes=5-", "Fri, 02 Jan 2026 03:04:06 GMT")]
    public async Task Hostile_18_A_range_that_cannot_be_served_returns_the_whole_archive(string range, string? ifRange)
    {
        // Some servers once generated a part for each range (CVE-2011-3192).
        var value = range == "@many" ? "bytes=" + string.Join(',', Enumerable.Range(0, 1300).Select(i => $"{i}-")) : range;
        foreach (var protocol in Ways.Protocols)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Tar);
            request.Headers.TryAddWithoutValidation("Range", value);
            request.Headers.TryAddWithoutValidation("If-Range", ifRange);

            var download = await Download.SendAsync(_gateway.ClientOf(protocol), request);

            Assert.Equal(HttpStatusCode.OK, download.Status);
            Assert.Equal(download.Response.Content.Headers.ContentLength, download.Bytes.Length);
        }
    }

    [Fact]
    public async Task A_client_that_has_the_archive_gets_304_and_one_that_wants_another_version_gets_412()
    {
        var etag = (await HeadAsync(_gateway, Fast)).Headers.ETag!;

        Assert.Equal(HttpStatusCode.NotModified, await StatusAsync("If-None-Match", etag.ToString()));
        Assert.Equal(HttpStatusCode.NotModified, await StatusAsync("If-None-Match", "\"x\", W/" + etag));
        Assert.Equal(HttpStatusCode.NotModified, await StatusAsync("If-None-Match", "*"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("If-None-Match", "\"x\""));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("If-Match", etag.ToString()));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await StatusAsync("If-Match", "\"x\""));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await StatusAsync("If-Match", "W/" + etag));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await StatusAsync("If-Match", "nonsense"));

        async Task<HttpStatusCode> StatusAsync(string header, string value)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Fast);
            request.Headers.TryAddWithoutValidation(header, value);
            return (await Download.SendAsync(_gateway.Client, request)).Status;
        }
    }

    [Fact]
    public async Task An_object_that_changed_gives_the_whole_new_archive_and_no_mixture()
    {
        var old = await Download.GetAsync(_gateway.Client, Tar);
        _upstream.Put("/d", 1024, seed: 5, compressible: false);

        var answer = await GetAsync(_gateway, Tar, new RangeHeaderValue(1000, null), old.Response.Headers.ETag!);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.NotEqual(old.Response.Headers.ETag, answer.Response.Headers.ETag);
    }

    [Fact]
    public async Task Storage_that_fails_before_the_range_begins_is_a_problem_document()
    {
        _upstream.Fail("/c", new Fault { Method = "GET", Status = 403, Times = 20 });

        var download = await GetAsync(_gateway, Fast, new RangeHeaderValue(200_000, null));

        download.RequireEarly(502);
        Assert.Equal("Upstream/Denied", (await _gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("curl", Tar)]
    [InlineData("curl", Fast)]
    [InlineData("curl", Zst)]
    [InlineData("curl", Zip)]
    [InlineData("wget", Tar)]
    [InlineData("wget", Fast)]
    [InlineData("wget", Zip)]
    [InlineData("wget", StoredZip)]
    public async Task Real_clients_resume_to_the_exact_bytes(string program, string url)
    {
        Tool.Require(program);
        var whole = await Download.GetAsync(_gateway.Client, url);
        var file = Path.GetTempFileName();
        foreach (var part in new[] { whole.Bytes.Length / 2, 1, 3000, whole.Bytes.Length - 1 }.Take(Matrix.Of(full: 4, reduced: 1)))
        {
            await File.WriteAllBytesAsync(file, whole.Bytes[..part], TestContext.Current.CancellationToken);
            await using var fresh = await GatewayUnderTest.StartAsync(_upstream.Address);
            var address = new Uri(fresh.Address, url).ToString();

            var result = await Tool.RunAsync(program, program == "curl" ? ["-sS", "-C", "-", "-o", file, address] : ["-q", "-c", "-O", file, address]);

            Assert.True(result.ExitCode == 0, result.Error);
            Assert.Equal(whole.Bytes, await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        }

        File.Delete(file);
    }

    [Theory]
    [InlineData("tar")]
    [InlineData("zip&compression=store")]
    public async Task A_client_that_takes_several_ranges_at_once_gets_the_exact_bytes(string format)
    {
        Tool.Require("aria2c");
        _upstream.Put("/large", 9_000_000, seed: 9, compressible: false);
        var whole = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,s/large,s/d&format=" + format);
        var folder = Directory.CreateTempSubdirectory("gateway-aria2-");

        var result = await Tool.RunAsync(
            "aria2c", ["-q", "-x4", "-s4", "-k1M", "-d", folder.FullName, "-o", "x.tar", new Uri(_replica.Address, "/bundle?ids=s/a,s/large,s/d&format=" + format).ToString()]);

        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.Equal(whole.Bytes, await File.ReadAllBytesAsync(Path.Combine(folder.FullName, "x.tar"), TestContext.Current.CancellationToken));
        folder.Delete(recursive: true);
    }

    private static async Task<HttpResponseMessage> HeadAsync(GatewayUnderTest gateway, string url)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, url);
        return await gateway.Client.SendAsync(request);
    }

    private static async Task<Download> GetAsync(GatewayUnderTest gateway, string url, RangeHeaderValue range, EntityTagHeaderValue? ifRange = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Range = range;
        request.Headers.IfRange = ifRange is null ? null : new RangeConditionHeaderValue(ifRange);
        return await Download.SendAsync(gateway.Client, request);
    }
}
