using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using CsCheck;
using Testing;

namespace Gateway.FunctionalTests.Bundles;

/// <summary>Receipts and digests, and the verification of checksums while objects are read.</summary>
public sealed class ReceiptTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = new();
    private GatewayUnderTest _gateway = null!;

    public static TheoryData<string> Checksums => new("sha256", "md5", "crc32", "Repr-Digest");

    public async ValueTask InitializeAsync() => _gateway = await GatewayUnderTest.StartAsync(_upstream.Address);

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData("format=tar.gz")]
    [InlineData("format=tar")]
    [InlineData("format=tar.zst")]
    [InlineData("format=zip")]
    [InlineData("format=zip&compression=store")]
    [InlineData("missing=abort")]
    public async Task The_last_entry_describes_the_others(string query)
    {
        var bodies = new Dictionary<string, byte[]> { ["s/a"] = _upstream.Put("/a", 300_000, seed: 1), ["s/b"] = _upstream.Put("/b", 0, seed: 2), ["s/ü"] = _upstream.Put("/%C3%BC", 5000, seed: 3) };

        var download = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,s/b,s/%C3%BC&receipt=true&" + query);

        var entries = download.RequireWhole();
        Assert.Equal([.. bodies.Keys, "MANIFEST.json"], entries.Keys);
        Assert.Equal(download.Response.Content.Headers.ContentLength ?? download.Bytes.Length, download.Bytes.Length);
        var lines = JsonDocument.Parse(entries["MANIFEST.json"]).RootElement.GetProperty("entries").EnumerateArray().ToArray();
        Assert.Equal(bodies.Keys, lines.Select(line => line.GetProperty("id").GetString()!));
        Assert.All(lines, line =>
        {
            var body = bodies[line.GetProperty("name").GetString()!];
            Assert.Equal(body, entries[line.GetProperty("name").GetString()!]);
            Assert.Equal(body.Length, line.GetProperty("size").GetInt64());
            Assert.Equal(Download.Hash(body), line.GetProperty("sha256").GetString());
            Assert.Equal("2026-01-02T03:04:06Z", line.GetProperty("modified").GetString());
            Assert.Equal("ok", line.GetProperty("status").GetString());
            Assert.EndsWith($"-{body.Length}\"", line.GetProperty("etag").GetString(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Omitted_entries_are_in_the_receipt_and_in_the_etag()
    {
        _upstream.Put("/a", 100, seed: 1);
        var skipped = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a,s/none&missing=skip&receipt=true");
        var other = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a&receipt=true");
        var without = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a");

        var lines = JsonDocument.Parse(skipped.RequireWhole()["MANIFEST.json"]).RootElement.GetProperty("entries").EnumerateArray().ToArray();
        Assert.Equal(["ok", "missing"], lines.Select(line => line.GetProperty("status").GetString()!));
        Assert.Equal("s/none", lines[1].GetProperty("id").GetString());
        Assert.Equal(3, new[] { skipped, other, without }.Select(download => download.Response.Headers.ETag).Distinct().Count());
    }

    [Theory]
    [InlineData("format=tar")]
    [InlineData("format=tar.gz")]
    [InlineData("format=zip")]
    [InlineData("format=zip&compression=store")]
    public async Task With_a_receipt_every_remainder_continues_the_whole_on_any_replica(string query)
    {
        _upstream.Put("/a", 300_000, seed: 1);
        _upstream.Put("/b", 0, seed: 2);
        _upstream.Put("/c", 5_300_000, seed: 3);
        _upstream.Put("/d", 10_000, seed: 4);
        var url = "/bundle?ids=s/a,s/b,s/c,s/d&receipt=true&" + query;
        var whole = await Download.GetAsync(_gateway.Client, url);

        await Gen.Int[1, whole.Bytes.Length - 1].SampleAsync(
            async from =>
            {
                await using var fresh = await GatewayUnderTest.StartAsync(_upstream.Address);
                foreach (var gateway in new[] { _gateway, fresh })
                {
                    foreach (var to in new int?[] { null, Math.Min(whole.Bytes.Length, from + 1000) - 1 })
                    {
                        if (to is not null && whole.Response.Content.Headers.ContentLength is null)
                        {
                            continue;
                        }

                        var rest = await GetAsync(gateway, url, from, to);
                        Assert.Equal(HttpStatusCode.PartialContent, rest.Status);
                        Assert.True(rest.Bytes.AsSpan().SequenceEqual(whole.Bytes.AsSpan(from..((to ?? (whole.Bytes.Length - 1)) + 1))), $"{from}-{to}");
                    }
                }

                return true;
            },
            iter: 12,
            threads: 1);
    }

    [Fact]
    public async Task An_entry_must_not_have_the_receipt_s_name()
    {
        _upstream.Put("/a", 1, seed: 1);

        using var answer = await _gateway.Client.PostAsJsonAsync(
            "/bundle", new { receipt = true, entries = new[] { new { id = "s/a", name = "manifest.JSON" } } });

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("MANIFEST.json", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(3_000_000)]
    public async Task A_hash_in_the_manifest_is_compared_and_an_object_that_differs_never_looks_whole(int size)
    {
        var right = _upstream.Put("/a", size, seed: 1);
        _upstream.Put("/b", 1000, seed: 2);
        object Manifest(string hash) => new { format = "tar", missing = "abort", entries = new object[] { new { id = "s/a", sha256 = hash }, new { id = "s/b" } } };

        var good = await PostAsync(Manifest(Download.Hash(right).ToUpperInvariant()));
        Assert.Equal(right, good.RequireWhole()["s/a"]);
        await _gateway.RequireOneOutcomeAsync();

        var bad = await PostAsync(Manifest(Download.Hash([])));
        bad.RequireCut();
        Assert.InRange(bad.Bytes.Length, 0, 512 + size - 1);
        var outcome = await _gateway.RequireOneOutcomeAsync();
        Assert.Equal(("Upstream/ChecksumDiffers", "d0"), (outcome.Blame, outcome.Fields["Destination"]));
    }

    [Theory]
    [MemberData(nameof(Checksums))]
    public async Task Checksums_that_storage_reports_are_verified(string kind)
    {
        var body = new ObjectContent(2_000_000, 1).ToArray();
        _upstream.Put("/a", body.Length, 1, GetHeader(kind, body));
        var good = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a&format=tar");
        Assert.Equal(body, good.RequireWhole()["s/a"]);
        await _gateway.RequireOneOutcomeAsync();

        _upstream.Put("/a", body.Length, 1, GetHeader(kind, [1]));
        var bad = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a&format=tar");
        bad.RequireCut();
        Assert.InRange(bad.Bytes.Length, 0, 512 + body.Length - 1);
        Assert.Equal("Upstream/ChecksumDiffers", (await _gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task A_checksum_of_checksums_or_an_invalid_one_is_ignored()
    {
        foreach (var headers in new (string, string)[][]
            {
                [GetHeader("crc32", [1]), ("x-amz-checksum-type", "COMPOSITE")],
                [("x-amz-checksum-sha256", Convert.ToBase64String(SHA256.HashData([1])) + "-4")],
                [("Content-MD5", "nonsense")],
                [("Repr-Digest", "sha-512=:AAAA:, md5=:AA==:")],
            })
        {
            var body = _upstream.Put("/a", 1000, 1, headers);
            Assert.Equal(body, (await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);
        }
    }

    [Fact]
    public async Task A_hash_that_differs_from_storage_s_checksum_is_a_conflict()
    {
        var body = new ObjectContent(1000, 1).ToArray();
        _upstream.Put("/a", body.Length, 1, GetHeader("sha256", body));

        (await PostAsync(new { entries = new[] { new { id = "s/a", sha256 = Download.Hash([]) } } })).RequireEarly(409);
    }

    [Fact]
    public async Task A_checksum_that_storage_reports_changes_no_byte_of_a_stored_zip()
    {
        var body = new ObjectContent(1_000_000, 1).ToArray();
        _upstream.Put("/a", body.Length, 1, GetHeader("crc32", body));
        const string Url = "/bundle?ids=s/a&format=zip&compression=store";

        var download = await Download.GetAsync(_gateway.Client, Url);

        Assert.Equal(body, download.RequireWhole()["s/a"]);
        _upstream.Put("/a", body.Length, 1);
        var without = await Download.GetAsync(_gateway.Client, Url);
        Assert.Equal(download.Bytes, without.Bytes);
        Assert.Equal(download.Response.Headers.ETag, without.Response.Headers.ETag);
    }

    [Fact]
    public async Task A_checksum_that_storage_sends_only_for_GET_does_not_make_whole_and_part_differ()
    {
        var body = new ObjectContent(20_000, 1).ToArray();
        _upstream.Put("/a", body.Length, 1, GetHeader("crc32", body));
        _upstream.Fail("/a", new Fault { Method = "HEAD", Without = ["x-amz-checksum-crc32"], Times = 1000 });
        foreach (var recipe in new[] { "format=zip&compression=store", "format=zip", "format=tar" })
        {
            var whole = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a&" + recipe);
            var rest = await GetAsync(_gateway, "/bundle?ids=s/a&" + recipe, 100, null);

            Assert.Equal(whole.Response.Headers.ETag, rest.Response.Headers.ETag);
            Assert.Equal(whole.Bytes[100..], rest.Bytes);
        }
    }

    [Theory]
    [InlineData("TE", "trailers")]
    [InlineData("Want-Repr-Digest", "sha-256=1")]
    [InlineData("Want-Repr-Digest", "sha-512=9, sha-256=3")]
    public async Task A_requested_digest_is_sent_as_a_trailer_and_from_then_on_as_a_header_to_every_client(string name, string value)
    {
        _upstream.Put("/a", 1_000_000, seed: 1);
        foreach (var protocol in Ways.Protocols)
        {
            await using var gateway = await GatewayUnderTest.StartAsync(_upstream.Address);
            using var request = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/a");
            request.Headers.TryAddWithoutValidation(name, value);
            var download = await Download.SendAsync(gateway.ClientOf(protocol), request);
            var expected = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(download.Bytes))}:";

            // The server supports trailers over HTTP/2 only.
            Assert.Equal(protocol.Version() == HttpVersion.Version20 ? [expected] : [], download.Response.TrailingHeaders.Select(header => header.Value.Single()));
            using var next = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/a");
            next.Headers.Range = new RangeHeaderValue(1000, null);
            Assert.Equal(expected, (await Download.SendAsync(gateway.ClientOf(protocol), next)).Response.Headers.GetValues("Repr-Digest").Single());
        }
    }

    [Fact]
    public async Task A_digest_is_computed_only_on_request()
    {
        _upstream.Put("/a", 1_000_000, seed: 1);

        var download = await Download.GetAsync(_gateway.Client, "/bundle?ids=s/a");

        Assert.Empty(download.Response.TrailingHeaders);
        Assert.False(download.Response.Headers.Contains("Repr-Digest"));
    }

    [Fact]
    public async Task An_archive_that_is_cut_has_no_digest()
    {
        _upstream.Put("/a", 1_000_000, seed: 1);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/a,s/none&missing=abort");
        request.Headers.TE.Add(new("trailers"));

        var download = await Download.SendAsync(_gateway.ClientOf(Protocol.Http2), request);

        download.RequireCut();
        Assert.Empty(download.Response.TrailingHeaders);
    }

    [SuppressMessage("Security", "CA5351", Justification = "Some storage sends Content-MD5.")]
    private static (string Name, string Value) GetHeader(string kind, byte[] body)
    {
        var crc32 = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(crc32, Crc32.HashToUInt32(body));
        return kind switch
        {
            "sha256" => ("x-amz-checksum-sha256", Convert.ToBase64String(SHA256.HashData(body))),
            "md5" => ("Content-MD5", Convert.ToBase64String(MD5.HashData(body))),
            "crc32" => ("x-amz-checksum-crc32", Convert.ToBase64String(crc32)),
            _ => ("Repr-Digest", $"sha-512=:AAAA:, sha-256=:{Convert.ToBase64String(SHA256.HashData(body))}:"),
        };
    }

    private static async Task<Download> GetAsync(GatewayUnderTest gateway, string url, long from, long? to)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Range = new RangeHeaderValue(from, to);
        return await Download.SendAsync(gateway.Client, request);
    }

    private async Task<Download> PostAsync(object manifest)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/bundle") { Content = JsonContent.Create(manifest) };
        return await Download.SendAsync(_gateway.Client, request);
    }
}
