using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Telemetry;
using Testing;

namespace Gateway.FunctionalTests.Requests;

/// <summary>Valid and invalid requests of clients: the contract's parameters and rows of the hostile-input table.</summary>
public sealed class RequestTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = new();
    private GatewayUnderTest _gateway = null!;

    public static TheoryData<Protocol, string> BadQueries => Ways.Each(Ways.Protocols,
    [
        "ids=",
        "",
        "ids=s/a,,s/b",
        "ids=s/../x",
        "ids=s/a/../../x",
        "ids=..",
        "ids=s/a/..",
        "ids=/etc/x",
        "ids=//x",
        "ids=s/.",
        "ids=s/a//b",
        "ids=s/",
        "ids=C:%5Cx",
        "ids=%5C%5Csrv%5Cs",
        "ids=s/a%5Cb",
        "ids=s/%255c",
        "ids=file:///x",
        "ids=http://169.254.169.254/",
        "ids=s/http://169.254.169.254/",
        "ids=s/a%00",
        "ids=s/a%1B[31m",
        "ids=s/a%7F",
        "ids=s/a%C2%85",
        "ids=s/a%E2%80%A8",
        "ids=s/a%E2%80%AE",
        "ids=s/%2e%2e%2fx",
        "ids=s/%252e%252e",
        "ids=s/..%2fx",
        "ids=s/%2e./x",
        "ids=s/%c0%ae",
        "ids=s/%ff",
        "ids=s/CON",
        "ids=s/nul.txt",
        "ids=s/a.",
        "id=s/a%20",
        "ids=s/a%20%20",
        "ids=s/a%3Fb",
        "ids=s/a%3Ab",
        "ids=s/a,s/a",
        "ids=s/a,s/A",
        "ids=s/%C3%A9,s/e%CC%81",
        "ids=s/a,s/a/b",
        "ids=nowhere/a",
        "ids=s/a&format=rar",
        "ids=s/a&compression=best",
        "ids=s/a&missing=ignore",
        "ids=s/a&missing=skip&missing=fail",
        "ids=s/a&receipt=yes",
        "ids=s/a&mising=skip",
    ]);

    public static TheoryData<Protocol, string> BadManifests => Ways.Each(Ways.Protocols,
    [
        "",
        "null",
        "[]",
        "{\"entries\":[]}",
        "{\"entries\":[null]}",
        "{\"entries\":[{}]}",
        "{\"entries\":[{\"id\":\"s/a\",\"id\":\"s/b\"}]}",
        "{\"entries\":[{\"id\":\"s/a\",\"size\":-1}]}",
        "{\"entries\":[{\"id\":\"s/a\",\"size\":9000000000000000000}]}",
        "{\"entries\":[{\"id\":\"s/a\",\"size\":\"1\"}]}",
        "{\"entries\":[{\"id\":\"s/a\",\"etag\":\"W/\\\"x\\\"\"}]}",
        "{\"entries\":[{\"id\":\"s/a\",\"sha256\":\"00\"}]}",
        "{\"entries\":[{\"id\":\"s/a\",\"name\":\"../x\"}]}",
        "{\"entries\":[{\"id\":\"s/a\",\"name\":\"\"}]}",
        "{\"entries\":[{\"id\":\"s/\\ud800\"}]}",
        "{\"entries\":[{\"id\":\"s/a\"}],\"extra\":1}",
    ]);

    public async ValueTask InitializeAsync()
    {
        foreach (var key in new[] { "a", "b", "c", "x,y" })
        {
            _upstream.Put("/" + key, 1000, seed: key[0]);
        }

        _gateway = await GatewayUnderTest.StartAsync([("Limits:MaxEntries", 5), ("Limits:MaxBytes", 3500)], _upstream.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Ids_keep_their_order_in_every_form()
    {
        var download = await Download.GetAsync(_gateway.Client, "/bundle?id=s/c&ids=s/b,s/a");

        Assert.Equal(["s/c", "s/b", "s/a"], download.RequireWhole().Keys);
    }

    [Fact]
    public async Task HEAD_describes_the_archive()
    {
        var download = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,s/b&name=Gr%C3%BC%C3%9Fe");
        using var head = await _gateway.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/bundle?ids=s/a,s/b&name=Gr%C3%BC%C3%9Fe"));

        foreach (var response in new[] { download.Response, head })
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("application/gzip", response.Content.Headers.ContentType!.ToString());
            Assert.Equal("attachment; filename=Gr__e.tar.gz; filename*=UTF-8''Gr%C3%BC%C3%9Fe.tar.gz", response.Content.Headers.GetValues("Content-Disposition").Single());
            Assert.False(response.Headers.ETag!.IsWeak);
            Assert.Equal("2", response.Headers.GetValues("Bundle-Entries").Single());
            Assert.Equal("0", response.Headers.GetValues("Bundle-Skipped").Single());
            Assert.Equal("2000", response.Headers.GetValues("Bundle-Size").Single());
            Assert.Equal("no", response.Headers.GetValues("X-Accel-Buffering").Single());
            Assert.True(response.Headers.CacheControl!.Private && response.Headers.CacheControl.NoTransform);
            Assert.Equal(new DateTimeOffset(2026, 1, 2, 3, 4, 6, TimeSpan.Zero), response.Content.Headers.LastModified);
            Assert.Empty(response.Content.Headers.ContentEncoding);
            Assert.False(response.Headers.Contains("Server"));
        }

        Assert.Equal(download.Response.Headers.ETag, head.Headers.ETag);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_tar_is_the_same_archive_without_its_compression()
    {
        var compressed = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,s/b");
        var plain = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,s/b&format=tar&compression=small");
        using var head = await _gateway.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/bundle?ids=s/a,s/b&format=tar"));

        Assert.Equal("application/x-tar", plain.Response.Content.Headers.ContentType!.ToString());
        Assert.EndsWith(".tar", plain.Response.Content.Headers.ContentDisposition!.FileName, StringComparison.Ordinal);
        Assert.Equal(plain.Response.Headers.ETag, head.Headers.ETag);
        Assert.NotEqual(compressed.Response.Headers.ETag, plain.Response.Headers.ETag);
        using var inflated = new MemoryStream();
        await using var gzip = new GZipStream(new MemoryStream(compressed.Bytes), CompressionMode.Decompress);
        await gzip.CopyToAsync(inflated, TestContext.Current.CancellationToken);
        Assert.Equal(inflated.ToArray(), plain.Bytes);
    }

    [Theory]
    [InlineData("tar", "tf")]
    [InlineData("bsdtar", "tf")]
    public async Task A_tar_is_read_by_other_programs(string program, string option)
    {
        Tool.Require(program);
        var file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, (await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,s/b&format=tar")).Bytes, TestContext.Current.CancellationToken);

        Assert.Equal("s/a\ns/b\n", (await Tool.RunAsync(program, [option, file])).Output);

        File.Delete(file);
    }

    [Fact]
    public async Task Equal_requests_are_equal_archives_and_the_etag_follows_order_and_compression()
    {
        var first = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,s/b");
        var again = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,s/b");
        var turned = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/b,s/a");
        var stored = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,s/b&compression=store");

        Assert.Equal(first.Bytes, again.Bytes);
        Assert.Equal(3, new[] { first, again, turned, stored }.Select(download => download.Response.Headers.ETag!.Tag).Distinct().Count());
        Assert.True(stored.Bytes.Length > first.Bytes.Length);
    }

    [Fact]
    public async Task The_number_of_workers_changes_no_byte()
    {
        _upstream.Put("/large", 1_000_000, seed: 5);
        var archives = new List<byte[]>();
        foreach (var workers in new[] { 1, 2, 16 })
        {
            await using var gateway = await GatewayUnderTest.StartAsync([("Compression:Workers", workers)], _upstream.Address);
            var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/large,s/a");
            download.RequireWhole();
            archives.Add(download.Bytes);
            await gateway.RequireOneOutcomeAsync();
        }

        Assert.Equal(archives[0], archives[1]);
        Assert.Equal(archives[0], archives[2]);
    }

    [Fact]
    public async Task An_id_may_contain_a_comma()
    {
        var entries = (await Download.GetAsync(_gateway.Client, "/bundle?id=s/x,y")).RequireWhole();

        Assert.Equal(["s/x,y"], entries.Keys);
    }

    [Fact]
    public async Task A_manifest_names_entries_and_their_required_properties()
    {
        var download = await PostAsync("""
            {"name":"mine","compression":"small","entries":[
              {"id":"s/a","name":"first.bin","size":1000,"etag":"\"v97-1000\""},
              {"id":"s/b","name":"dir/second.bin"}]}
            """);

        Assert.Equal(["first.bin", "dir/second.bin"], download.RequireWhole().Keys);
        Assert.Contains("mine.tar.gz", download.Response.Content.Headers.ContentDisposition!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"entries":[{"id":"s/a"},{"id":"s/b","size":1001}]}""")]
    [InlineData("""{"entries":[{"id":"s/a"},{"id":"s/b","etag":"\"other\""}]}""")]
    public async Task An_object_that_differs_from_the_manifest_is_409(string manifest)
    {
        var download = await PostAsync(manifest);

        download.RequireEarly(409);
        Assert.Equal([1], Indexes(download));
    }

    [Fact]
    public async Task A_form_accepts_ids_separated_by_lines_and_commas()
    {
        using var form = new FormUrlEncodedContent([new("ids", "s/a\r\ns/b,s/c\r\n"), new("name", "form")]);

        var download = await Download.SendAsync(_gateway.Client, new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = form });

        Assert.Equal(["s/a", "s/b", "s/c"], download.RequireWhole().Keys);
    }

    [Fact]
    public async Task A_plan_describes_what_a_bundle_would_contain()
    {
        using var plan = JsonDocument.Parse(await _gateway.Client.GetStringAsync("/bundle/plan?ids=s/a,s/none"));

        Assert.Equal(1000, plan.RootElement.GetProperty("size").GetInt64());
        Assert.Equal(["ok", "missing"], plan.RootElement.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("status").GetString()));
        Assert.Equal("\"v97-1000\"", plan.RootElement.GetProperty("entries")[0].GetProperty("etag").GetString());
        Assert.StartsWith("\"", plan.RootElement.GetProperty("etag").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ways.Early), MemberType = typeof(Ways))]
    public async Task Row_6_Missing_objects_fail_the_bundle_and_are_all_listed(Protocol protocol)
    {
        var download = await Download.GetAsync(_gateway.ClientOf(protocol), "/bundle?ids=s/a,s/n1,s/b,s/n2");

        download.RequireEarly(404);
        Assert.Equal([1, 3], Indexes(download));
        Assert.Equal(("Client/ObjectsMissing", 1), await _gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.EntryIndex) : default);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_6_Missing_objects_are_skipped_and_reported(Protocol protocol, string recipe)
    {
        var download = await Download.GetAsync(_gateway.ClientOf(protocol), $"/bundle?ids=s/n1,s/a,s/n2&missing=skip&{recipe}");

        Assert.Equal(["s/a"], download.RequireWhole().Keys);
        Assert.Equal("2", download.Response.Headers.GetValues("Bundle-Skipped").Single());
        (await Download.GetAsync(_gateway.ClientOf(protocol), $"/bundle?ids=s/n1&missing=skip&{recipe}")).RequireEarly(404);
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_6_A_missing_object_aborts_if_nothing_is_checked_first(Protocol protocol, string recipe)
    {
        var download = await Download.GetAsync(_gateway.ClientOf(protocol), $"/bundle?ids=s/a,s/n1&missing=abort&{recipe}");

        download.RequireCut();
        var outcome = await _gateway.RequireOneOutcomeAsync();
        Assert.Equal(("Upstream/NotFound", 1), (outcome.Blame, outcome.EntryIndex));
        Assert.All(_upstream.Requests, request => Assert.Equal("GET", request.Method));
    }

    [Theory]
    [MemberData(nameof(BadQueries))]
    public async Task Hostile_1_to_7_and_10_are_400_and_storage_gets_no_request(Protocol protocol, string query)
    {
        var download = await Download.GetAsync(_gateway.ClientOf(protocol), "/bundle?" + query);

        download.RequireEarly(400);
        Assert.Empty(_upstream.Requests);
        Assert.Equal("Client/InvalidRequest", (await _gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("s/a,s/b,s/a", 0, 2)]
    [InlineData("s/b,s/a,s/A", 1, 2)]
    [InlineData("s/%C3%A9,s/b,s/e%CC%81", 0, 2)]
    [InlineData("s/a/b,s/b,s/a", 0, 2)]
    public async Task Hostile_7_Colliding_names_are_both_reported(string ids, int first, int second)
    {
        foreach (var protocol in Ways.Protocols)
        {
            var download = await Download.GetAsync(_gateway.ClientOf(protocol), "/bundle?ids=" + ids);

            download.RequireEarly(400);
            Assert.Equal([first, second], Indexes(download).Order());
        }
    }

    [Theory]
    [InlineData(255, 200)]
    [InlineData(256, 400)]
    [InlineData(4096, 400)]
    [InlineData(65_535, 400)]
    public async Task Hostile_8_Names_that_are_too_long_are_400(int length, int status)
    {
        foreach (var protocol in Ways.Protocols)
        {
            foreach (var format in new[] { "tar.gz", "tar", "tar.zst", "zip" })
            {
                var download = await PostAsync($$"""{"format":"{{format}}","entries":[{"id":"s/a","name":"{{new string('n', length)}}"}]}""", protocol);

                Assert.Equal(status, (int)download.Status);
                Assert.InRange(download.Bytes.Length, 1, 10_000);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Hostile_16_Times_out_of_range_are_clamped_and_every_reader_agrees(Protocol protocol, string recipe)
    {
        var modified = new[] { "Mon, 01 Jan 0001 00:00:00 GMT", "Wed, 31 Dec 1969 23:59:59 GMT", "Mon, 31 Dec 1979 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "yesterday" };
        await using var gateway = await GatewayUnderTest.StartAsync(_upstream.Address);
        var bodies = modified.Select((text, i) => _upstream.Put($"/{i}", 1000, i, ("Last-Modified", text))).ToArray();

        var entries = (await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/0,s/1,s/2,s/3,s/4&{recipe}")).RequireWhole();

        Assert.Equal(bodies, entries.Values);
        await gateway.RequireOneOutcomeAsync();
    }

    [Theory]
    [InlineData("s/a%3Fb%23c%3Bd%40e%26f", "/a%3Fb%23c;d@e&f")]
    public async Task Hostile_9_Characters_with_a_meaning_in_URLs_stay_in_the_path(string id, string path)
    {
        await using var gateway = await GatewayUnderTest.StartAsync([("Names:Portable", false)], _upstream.Address);

        (await Download.GetAsync(gateway.Client, "/bundle?id=" + id)).RequireEarly(404);

        Assert.Equal(path, Assert.Single(_upstream.Requests).Path);
    }

    [Theory]
    [MemberData(nameof(Ways.Early), MemberType = typeof(Ways))]
    public async Task Hostile_10_The_maximum_number_of_entries_is_served_and_one_more_is_413_with_the_number(Protocol protocol)
    {
        var ids = Enumerable.Range(0, 6).Select(i => $"s/small{i}").ToArray();
        for (var i = 0; i < ids.Length; i++)
        {
            _upstream.Put($"/small{i}", 10, seed: i);
        }

        var client = _gateway.ClientOf(protocol);
        (await Download.GetAsync(client, "/bundle?ids=" + string.Join(',', ids[..5]))).RequireWhole();
        foreach (var over in new[] { await Download.GetAsync(client, "/bundle?ids=" + string.Join(',', ids)), await Download.GetAsync(client, "/bundle?id=" + string.Join("&id=", ids)) })
        {
            over.RequireEarly(413);
            Assert.Contains(" 5 ", Encoding.UTF8.GetString(over.Bytes), StringComparison.Ordinal);
        }

        (await PostAsync($"{{\"entries\":[{string.Join(',', Enumerable.Repeat("{\"id\":\"s/small0\"}", 100_000))}]}}", protocol)).RequireEarly(413);
    }

    [Fact]
    public async Task Hostile_10_More_bytes_than_an_archive_can_contain_are_413()
    {
        _upstream.Put("/a", new ObjectContent(1L << 50, 1));
        var entries = string.Join(',', Enumerable.Range(0, 8300).Select(i => $"{{\"id\":\"s/a\",\"name\":\"{i}\"}}"));

        (await PostAsync($"{{\"format\":\"tar\",\"entries\":[{entries}]}}")).RequireEarly(413);
    }

    [Fact]
    public async Task Hostile_10_More_bytes_than_allowed_are_413_with_the_numbers_or_an_abort()
    {
        var early = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,s/b,s/c&id=s/x,y");
        early.RequireEarly(413);
        Assert.Contains("4000", Encoding.UTF8.GetString(early.Bytes), StringComparison.Ordinal);

        (await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,s/b,s/c&id=s/x,y&missing=abort")).RequireCut();
    }

    [Theory]
    [MemberData(nameof(BadManifests))]
    public async Task Hostile_11_A_bad_manifest_is_400(Protocol protocol, string manifest)
    {
        (await PostAsync(manifest, protocol)).RequireEarly(400);

        Assert.Empty(_upstream.Requests);
    }

    [Theory]
    [MemberData(nameof(Ways.Early), MemberType = typeof(Ways))]
    public async Task Hostile_11_A_manifest_that_is_too_deep_or_too_large_is_refused(Protocol protocol)
    {
        var client = _gateway.ClientOf(protocol);
        (await PostAsync(new string('[', 10_000), protocol)).RequireEarly(400);
        (await PostAsync("{\"entries\":[" + string.Concat(Enumerable.Repeat("{\"id\":\"s/a\"},", 700_000)) + "{}]}", protocol)).RequireEarly(413);
        (await PostAsync("{\"entries\":[" + string.Join(',', Enumerable.Repeat("{\"id\":\"s/a\"}", 100_000)) + "]}", protocol)).RequireEarly(413);
        Assert.Equal(400, (int)(await client.PostAsync("/bundle?missing=skip", new StringContent("{}", null, "application/json"))).StatusCode);
        Assert.Equal(415, (int)(await client.PostAsync("/bundle", new StringContent("s/a"))).StatusCode);
        var address = await Download.GetAsync(client, "/bundle?ids=" + new string('a', 9000));
        address.RequireEarly(414);
        Assert.Contains("manifest", Encoding.UTF8.GetString(address.Bytes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a%0D%0ASet-Cookie:x", "a__Set-Cookie_x")]
    [InlineData("a%22b%5Cc", "a_b_c")]
    [InlineData("a%7Fb", "a_b")]
    [InlineData("..%2Fx", "_x")]
    [InlineData("%F0%9F%98%80", "😀")]
    [InlineData("...", "bundle")]
    public async Task Hostile_12_A_file_name_is_sanitized(string name, string expected)
    {
        foreach (var protocol in Ways.Protocols)
        {
            var download = await Download.GetAsync(_gateway.ClientOf(protocol), "/bundle?ids=s/a&name=" + name);

            download.RequireWhole();
            Assert.Equal(expected + ".tar.gz", download.Response.Content.Headers.ContentDisposition!.FileNameStar);
            Assert.False(download.Response.Headers.Contains("Set-Cookie"));
        }
    }

    [Fact]
    public async Task Hostile_12_A_long_file_name_is_shortened()
    {
        var download = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a&name=" + new string('n', 2000));

        Assert.Equal(150 + ".tar.gz".Length, download.Response.Content.Headers.ContentDisposition!.FileNameStar!.Length);
    }

    [Fact]
    public async Task Small_objects_without_a_length_are_read_ahead_to_determine_it()
    {
        var body = _upstream.Put("/chunked", 3000, seed: 9);
        _upstream.Fail("/chunked", new Fault { Chunked = true });

        var entries = (await Download.GetAsync(_gateway.Client, "/bundle?ids=s/chunked")).RequireWhole();

        Assert.Equal(body, entries["s/chunked"]);
    }

    [Fact]
    public async Task Many_tiny_objects_without_a_length_fit_the_budget_and_interruptions_are_repaired()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(_upstream.Address);
        var ids = Enumerable.Range(0, 300).Select(i => $"tiny{i}").ToArray();
        foreach (var id in ids)
        {
            _upstream.Put("/" + id, 5, seed: id.Length);
            _upstream.Fail("/" + id, new Fault { Chunked = true });
        }

        _upstream.Put("/broken", 3000, seed: 9);
        _upstream.Fail("/broken", new Fault { Chunked = true, After = 1000, Ending = Ending.Close }, new Fault { Chunked = true });

        var entries = (await Download.GetAsync(gateway.Client, "/bundle?ids=s/broken")).RequireWhole();
        Assert.Equal(3000, entries["s/broken"].Length);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = new FormUrlEncodedContent([new("ids", string.Join('\n', ids.Select(id => "s/" + id)))]) };
        Assert.Equal(300, (await Download.SendAsync(gateway.Client, request)).RequireWhole().Count);
        Assert.Equal(302, _upstream.FaultsDelivered);
    }

    [Fact]
    public async Task Hostile_10_A_small_request_gets_no_huge_response()
    {
        // Every name is a folder of all those that follow.
        await using var gateway = await GatewayUnderTest.StartAsync(_upstream.Address);
        using var form = new FormUrlEncodedContent([new("ids", string.Join(',', Enumerable.Range(1, 1500).Select(i => "s" + string.Concat(Enumerable.Repeat("/a", i)))))]);

        var download = await Download.SendAsync(gateway.Client, new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = form });

        download.RequireEarly(400);
        Assert.InRange(download.Bytes.Length, 1, 1_000_000);
    }

    [Fact]
    public async Task A_client_that_disconnects_during_its_request_is_not_a_gateway_failure()
    {
        using (var socket = new System.Net.Sockets.TcpClient())
        {
            await socket.ConnectAsync(_gateway.Address.Host, _gateway.Address.Port);
            await socket.GetStream().WriteAsync("POST /bundle HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"u8.ToArray());
            await Eventually.StandsStillAsync(() => 0, TimeSpan.FromMilliseconds(100));
            socket.Client.LingerState = new(true, 0);
        }

        Assert.StartsWith("Client/", (await _gateway.RequireOneOutcomeAsync()).Blame, StringComparison.Ordinal);

        // Exceptions that no task observed are those of the whole process, other tests included.
        Assert.DoesNotContain(_gateway.Outcomes.Lines, line => line.StartsWith("Error", StringComparison.Ordinal) && !line.Contains(nameof(UnobservedFaults), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_large_object_without_a_length_is_bundled_with_the_size_from_its_manifest()
    {
        var body = _upstream.Put("/chunked", 20_000_000, seed: 9);
        _upstream.Fail("/chunked", new Fault { Method = "HEAD", Without = ["Content-Length"] }, new Fault { Chunked = true });
        await using var gateway = await GatewayUnderTest.StartAsync(_upstream.Address);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle")
        {
            Content = new StringContent("""{"entries":[{"id":"s/chunked","size":20000000},{"id":"s/a"}]}""", null, "application/json"),
        };

        var entries = (await Download.SendAsync(gateway.Client, request)).RequireWhole();

        Assert.Equal(Download.Hash(body), Download.Hash(entries["s/chunked"]));
    }

    [Theory]
    [InlineData("/bundle")]
    [InlineData("/bundle/plan")]
    public async Task Large_objects_without_a_length_are_refused_before_the_first_byte(string path)
    {
        _upstream.Put("/chunked", 20_000_000, seed: 9);
        var lengthless = new Fault { Chunked = true };
        _upstream.Fail("/chunked", path == "/bundle" ? [lengthless] : [new Fault { Method = "HEAD", Without = ["Content-Length"] }, lengthless]);

        var download = await Download.GetAsync(_gateway.Client, $"{path}?ids=s/chunked");

        download.RequireEarly(502);
        Assert.Contains("manifest", Encoding.UTF8.GetString(download.Bytes), StringComparison.Ordinal);
        Assert.Equal("Upstream/LengthUnknown", (await _gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("/bundle")]
    [InlineData("/bundle/plan")]
    public async Task An_object_that_ends_with_its_connection_is_rejected_because_truncation_would_be_undetectable(string path)
    {
        _upstream.Put("/old", 1000, seed: 9);
        var endless = new Fault { Without = ["Content-Length"], Ending = Ending.Close };
        _upstream.Fail("/old", path == "/bundle" ? [endless] : [new Fault { Method = "HEAD", Without = ["Content-Length"] }, endless]);

        (await Download.GetAsync(_gateway.Client, $"{path}?ids=s/old")).RequireEarly(502);
    }

    private static int[] Indexes(Download download) =>
        [.. JsonDocument.Parse(download.Bytes).RootElement.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("index").GetInt32())];

    private async Task<Download> PostAsync(string manifest, Protocol protocol = Protocol.Http1)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = new StringContent(manifest, null, "application/json") };
        request.Headers.ExpectContinue = manifest.Length > 1_000_000;
        return await Download.SendAsync(_gateway.ClientOf(protocol), request);
    }
}
