using System.Text;
using Testing;

namespace Gateway.FunctionalTests.Storage;

/// <summary>Responses of storage that RFC 9110 and 9112 allow, in every form, and those that they do not allow.</summary>
public class HttpMessageTests
{
    private const int Size = 5000;
    private const string Usual = "Content-Length: 5000\r\nETag: \"1\"\r\n";

    public static TheoryData<string> Valid => new(
        "HTTP/1.1 200 OK\r\n" + Usual,
        "HTTP/1.1 200 \r\n" + Usual,
        "HTTP/1.1 200\r\n" + Usual,
        "HTTP/1.1 200 Über gut\r\n" + Usual,
        "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\netag: \"1\"\r\n",
        "HTTP/1.1 200 OK\r\nCONTENT-LENGTH:5000\r\nETAG:\"1\"\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: \t 5000 \t\r\nETag:\t\"1\"\t\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 5000\nETag: \"1\"\n",
        "HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\n" + Usual,
        "HTTP/1.1 200 OK\r\nX-Empty:\r\n" + Usual,
        "HTTP/1.1 200 OK\r\nX-Text: \u00fc\u0080\r\n" + Usual,
        "HTTP/1.0 200 OK\r\n" + Usual,
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n" + Usual,
        "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n" + Usual,
        "HTTP/1.1 200 OK\r\nContent-Encoding: \r\n" + Usual,
        "HTTP/1.1 200 OK\r\nAccept-Ranges: none\r\n" + Usual,
        "HTTP/1.1 200 OK\r\nContent-Range: bytes 0-9/10\r\n" + Usual,
        "HTTP/1.1 200 OK\r\nLast-Modified: Friday, 02-Jan-26 03:04:05 GMT\r\n" + Usual,
        "HTTP/1.1 200 OK\r\nLast-Modified: Fri Jan  2 03:04:05 2026\r\n" + Usual,
        "HTTP/1.1 200 OK\r\nLast-Modified: yesterday\r\n" + Usual,
        "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nETag: \"\"\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nETag: W/\"1\"\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nETag: unquoted\r\n",
        "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nVary: *\r\nAge: 1\r\nWarning: 110 - old\r\n" + Usual,
        "HTTP/1.1 200 OK\r\nConnection: close\r\n" + Usual,
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n" + Usual);

    public static TheoryData<string> ValidChunks => new(
        "{size}\r\n{body}\r\n0\r\n\r\n",
        "000{size}\r\n{body}\r\n000\r\n\r\n",
        "{size};name=value;other=\"quoted\"\r\n{body}\r\n0;last\r\n\r\n",
        "{size} \r\n{body}\r\n0\r\n\r\n",
        "{size}\r\n{body}\r\n0\r\nX-Trailer: x\r\nDigest: y\r\n\r\n");

    /// <summary>Response headers, and the expected reason.</summary>
    public static TheoryData<string, string, string> Invalid => new()
    {
        { "HTTP/1.1 2000 OK\r\n" + Usual, "InvalidResponse", "RFC 9112, section 4" },
        { "HTTP/2.0 x OK\r\n" + Usual, "InvalidResponse", "RFC 9112, section 4" },
        { "ICY 200 OK\r\n" + Usual, "InvalidResponse", "RFC 9112, section 4" },
        { "HTTP/1.1 200 OK\r\nno colon\r\n" + Usual, "InvalidResponse", "RFC 9112, section 5" },
        { "HTTP/1.1 200 OK\r\nx-status without colon\r\n" + Usual, "InvalidResponse", "RFC 9112, section 5" },
        { "HTTP/1.1 200 OK\r\nb@d: x\r\n" + Usual, "InvalidResponse", "RFC 9112, section 5" },
        { "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", "InvalidLength", "RFC 9110, section 8.6" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n", "InvalidLength", "RFC 9110, section 8.6" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n", "InvalidLength", "RFC 9110, section 8.6" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", "Encoded", "RFC 9112, sections 6.1 and 7.4" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n", "Encoded", "RFC 9112, sections 6.1 and 7.4" },
        { "HTTP/1.1 200 OK\r\nContent-Encoding: gzip;x\r\n" + Usual, "InvalidResponse", "RFC 9110, section 8.4" },
        { "HTTP/1.1 203 Changed\r\n" + Usual, "UnexpectedStatus", "RFC 9110, section 15.3.4" },
        { "HTTP/1.1 206 Part\r\nContent-Range: bytes 0-4999/6000\r\n" + Usual, "UnexpectedStatus", "RFC 9110, section 15.3.7" },
        { "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n", "UnexpectedStatus", "RFC 9110, section 15.4.5" },
    };

    [Theory]
    [MemberData(nameof(Valid))]
    public async Task A_valid_response_is_accepted(string head)
    {
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put("/a", Size, seed: 1);
        upstream.Fail("/a", new Fault { Head = head + (head.Contains('\r', StringComparison.Ordinal) ? "\r\n" : "\n"), Ending = head.Contains("/1.0", StringComparison.Ordinal) || head.Contains(": close", StringComparison.Ordinal) ? Ending.Close : Ending.None, Times = 3 });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        foreach (var missing in new[] { "fail", "abort" })
        {
            var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=" + missing);

            Assert.Equal(("None/None", 0), await gateway.Outcomes.NextAsync() is var outcome ? (outcome.Blame, outcome.Retries) : default);
            Assert.Equal(body, download.RequireWhole()["s/a"]);
        }
    }

    [Theory]
    [MemberData(nameof(ValidChunks))]
    public async Task Valid_chunks_are_accepted(string chunks)
    {
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put("/a", Size, seed: 1);
        var text = chunks.Replace("{size}", "1388", StringComparison.Ordinal).Replace("{body}", Encoding.Latin1.GetString(body), StringComparison.Ordinal);
        upstream.Fail("/a", new Fault { Head = $"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nETag: \"1\"\r\n\r\n{text}", After = 0, Times = 3 });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);
        foreach (var missing in new[] { "fail", "abort" })
        {
            Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=" + missing)).RequireWhole()["s/a"]);
            Assert.Equal(("None/None", 0), await gateway.Outcomes.NextAsync() is var outcome ? (outcome.Blame, outcome.Retries) : default);
        }
    }

    [Theory]
    [MemberData(nameof(Invalid))]
    public async Task An_invalid_response_is_reported_with_the_rule_that_it_broke(string head, string reason, string rule)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", Size, seed: 1);
        upstream.Fail("/a", new Fault { Head = head + "\r\n", Ending = Ending.Close, Times = 10 });
        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:Attempts", 1)], upstream.Address);

        var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");

        download.RequireEarly(502);
        Assert.Contains(rule, Encoding.UTF8.GetString(download.Bytes), StringComparison.Ordinal);
        Assert.Equal("Upstream/" + reason, (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("\r\nxyz\r\n")]
    [InlineData("\u001b[31mEVIL\r\n")]
    public async Task A_chunk_that_is_not_valid_is_reported_as_such(string then)
    {
        await using var upstream = new ScriptedUpstream();
        upstream.Put("/a", Size, seed: 1);
        upstream.Fail("/a", new Fault { Head = $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello{then}", After = 0, Ending = Ending.Close, Times = 10 });
        await using var gateway = await GatewayUnderTest.StartAsync([("Upstream:Attempts", 1)], upstream.Address);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireEarly(502);

        Assert.Contains("storage sent a chunk that is not valid (RFC 9112, section 7.1).", (await gateway.RequireOneOutcomeAsync()).Fields["Error"]!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bytes 100000-199999/200000")]
    [InlineData("Bytes 100000-199999/200000")]
    [InlineData("bytes 100000-199999/*")]
    public async Task A_valid_part_is_accepted(string range)
    {
        await using var upstream = new ScriptedUpstream();
        var body = upstream.Put("/a", 200_000, seed: 1);
        upstream.Fail("/a", Fault.Reset(100_000), new Fault { Headers = new Dictionary<string, string> { ["Content-Range"] = range } });
        await using var gateway = await GatewayUnderTest.StartAsync(upstream.Address);

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort")).RequireWhole()["s/a"]);
        Assert.Equal(1, (await gateway.RequireOneOutcomeAsync()).Resumes);
    }
}
