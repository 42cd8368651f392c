using System.Net;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>What operators and clients learn if the store refuses: our own words, the same for an object through the proxy and for a bundle.</summary>
public class StoreErrorTests
{
    private const int Size = 1000;

    public static TheoryData<string, string> Refusals => new()
    {
        { "secret", "Storage rejected the gateway's credential." },
        { "access key", "Storage rejected the gateway's credential." },
        { "expired key", "Storage rejected the gateway's credential." },
        { "expired token", "Storage rejected the gateway's credential." },
        { "region 400", "The bucket is in eu-west-1; Stores:s:Region says eu-central-1." },
        { "region 301", "The bucket is in eu-west-1; Stores:s:Region says eu-central-1." },
        { "clock behind", "This machine's clock is 22 minutes behind the store's." },
        { "clock ahead", "This machine's clock is 47 minutes ahead of the store's." },
        { "bucket", "The bucket of Stores:s does not exist." },
    };

    public static TheoryData<string, string, string> ArchiveClasses => new()
    {
        { "x-amz-storage-class", "GLACIER", "GLACIER" },
        { "x-amz-storage-class", "DEEP_ARCHIVE", "DEEP_ARCHIVE" },
        { "x-amz-archive-status", "ARCHIVE_ACCESS", "ARCHIVE_ACCESS" },
        { "x-amz-archive-status", "DEEP_ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_an_operator_must_mend_is_502_with_its_cause(string cause, string text)
    {
        await using var store = new ScriptedS3();
        await using var gateway = await StartAsync(store, cause);

        var direct = await StoreGateway.ReadAsync(gateway, "/s/a");
        var head = await StoreGateway.ReadAsync(gateway, "/s/a", HttpMethod.Head);
        var bundle = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");
        var cut = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort");

        direct.RequireEarly(502);
        bundle.RequireEarly(502);
        cut.RequireCut();
        Assert.All([direct, bundle], download => Assert.Contains(text, TextOf(download), StringComparison.Ordinal));

        // A response to HEAD does not tell a missing bucket from a missing object.
        Assert.Equal(cause == "bucket" ? 404 : 502, (int)head.Status);
        Assert.Empty(head.Bytes);
        Assert.Contains(gateway.Outcomes.Lines, line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains(text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("secret")]
    [InlineData("expired token")]
    public async Task A_rejected_credential_costs_at_most_one_more_request(string cause)
    {
        await using var store = new ScriptedS3();
        await using var gateway = await StartAsync(store, cause);

        await StoreGateway.ReadAsync(gateway, "/s/a");
        var first = store.Gets;
        await StoreGateway.ReadAsync(gateway, "/s/a");

        Assert.InRange(first, 1, 2);
        Assert.InRange(store.Gets - first, 1, 2);
    }

    [Theory]
    [MemberData(nameof(ArchiveClasses))]
    public async Task An_archived_object_is_409_before_any_byte(string header, string value, string named)
    {
        await using var store = new ScriptedS3();
        store.Put("a", Size, seed: 1);
        store.Put("cold", Size, 2, (header, value));
        await using var gateway = await StoreGateway.StartAsync(store, ("Upstream:LookaheadBytes", 0));

        var bundles = new List<Download>();
        foreach (var missing in new[] { "fail", "skip" })
        {
            bundles.Add(await Download.GetAsync(gateway.Client, $"/bundle?ids=s/a,s/cold&missing={missing}"));
        }

        Assert.All(bundles, bundle => bundle.RequireEarly(409));
        Assert.All(bundles, bundle => Assert.Contains($"\"reason\":\"The object is archived ({named}) and must be restored first.\"", TextOf(bundle).Replace("\": ", "\":", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.All(bundles, bundle => Assert.Contains("s/cold", TextOf(bundle), StringComparison.Ordinal));
        Assert.All(gateway.Outcomes.All, outcome => Assert.Equal("Upstream/Archived", outcome.Blame));
    }

    [Theory]
    [MemberData(nameof(ArchiveClasses))]
    public async Task An_archived_object_is_409_for_GET_and_HEAD_and_cuts_an_archive_that_has_begun(string header, string value, string named)
    {
        await using var store = new ScriptedS3();
        store.Put("a", 2 << 20, seed: 1);
        store.Put("cold", Size, 2, (header, value));
        await using var gateway = await StoreGateway.StartAsync(store);

        var direct = await StoreGateway.ReadAsync(gateway, "/s/cold");
        var head = await StoreGateway.ReadAsync(gateway, "/s/cold", HttpMethod.Head);
        var cut = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a,s/cold&missing=abort");

        direct.RequireEarly(409);
        Assert.Contains("must be restored first", TextOf(direct), StringComparison.Ordinal);
        Assert.DoesNotContain(ScriptedS3.HostId, TextOf(direct), StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.Conflict, named.Length > 0), (head.Status, true));
        cut.RequireCut();
        Assert.Equal("Upstream/Archived", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("x-amz-storage-class", "GLACIER", "ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2026 00:00:00 GMT\"")]
    [InlineData("x-amz-storage-class", "GLACIER_IR", null)]
    [InlineData("x-amz-storage-class", "STANDARD_IA", null)]
    public async Task A_restored_object_and_one_in_a_class_that_is_only_slow_are_read(string header, string value, string? restore)
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", Size, 1, restore is null ? [(header, value)] : [(header, value), ("x-amz-restore", restore)]);
        await using var gateway = await StoreGateway.StartAsync(store, ("Upstream:LookaheadBytes", 0));

        var direct = await StoreGateway.ReadAsync(gateway, "/s/a");
        var head = await StoreGateway.ReadAsync(gateway, "/s/a", HttpMethod.Head);
        var bundle = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");

        Assert.Equal(body, direct.Bytes);
        Assert.Equal(HttpStatusCode.OK, head.Status);
        Assert.Equal(body, bundle.RequireWhole()["s/a"]);
    }

    [Fact]
    public async Task A_restore_in_progress_is_not_readable_yet()
    {
        await using var store = new ScriptedS3();
        store.Put("a", Size, 1, ("x-amz-storage-class", "GLACIER"), ("x-amz-restore", "ongoing-request=\"true\""));
        await using var gateway = await StoreGateway.StartAsync(store, ("Upstream:LookaheadBytes", 0));

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireEarly(409);

        Assert.Equal("Upstream/Archived", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Theory]
    [InlineData("fail", false, 502)]
    [InlineData("skip", false, 502)]
    [InlineData("fail", true, 404)]
    [InlineData("skip", true, 200)]
    public async Task Row_41_A_missing_key_that_the_store_hides_is_missing_if_the_route_says_so(string missing, bool isMissing, int status)
    {
        await using var store = new ScriptedS3 { HidesMissing = true };
        store.Put("a", Size, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store, ("ReverseProxy:Routes:s:Metadata:Bundle.ForbiddenIsMissing", isMissing ? "true" : "false"));

        var bundle = await Download.GetAsync(gateway.Client, $"/bundle?ids=s/a,s/none&missing={missing}");
        var direct = await StoreGateway.ReadAsync(gateway, "/s/none");
        var head = await StoreGateway.ReadAsync(gateway, "/s/none", HttpMethod.Head);

        Assert.Equal(status, (int)bundle.Status);
        Assert.True(status != 200 || bundle.RequireWhole().Keys.SequenceEqual(["s/a"]));
        direct.RequireEarly(403);
        Assert.Contains("The object does not exist, or the gateway may not read it.", TextOf(direct), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, head.Status);
    }

    [Theory]
    [InlineData("InvalidAccessKeyId")]
    [InlineData("SignatureDoesNotMatch")]
    [InlineData("RequestTimeTooSkewed")]
    [InlineData("InvalidObjectState")]
    public async Task A_403_for_another_reason_is_never_a_missing_object(string code)
    {
        await using var store = new ScriptedS3();
        store.Put("a", Size, seed: 1);
        store.Put("b", Size, seed: 2);
        foreach (var _ in Enumerable.Range(0, 20))
        {
            store.Fail("b", 403, code);
        }

        await using var gateway = await StoreGateway.StartAsync(store, ("ReverseProxy:Routes:s:Metadata:Bundle.ForbiddenIsMissing", "true"));

        var bundle = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a,s/b&missing=skip");

        bundle.RequireEarly(code == "InvalidObjectState" ? 409 : 502);
    }

    [Theory]
    [InlineData(404, 404)]
    [InlineData(403, 502)]
    [InlineData(500, 502)]
    public async Task An_error_whose_body_breaks_is_still_the_error_of_its_status(int status, int expected)
    {
        await using var store = new ScriptedS3();
        store.Put("a", Size, seed: 1);
        store.Fail("a", new Fault { Status = status, Head = $"HTTP/1.1 {status} X\r\nContent-Length: 1000\r\n\r\n<Error><Code>", Ending = Ending.Close, Times = 20 });
        store.Fail("a", status, "Unheard", "HEAD");
        await using var gateway = await StoreGateway.StartAsync(store, ("Upstream:Attempts", 1));

        var bundle = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort");
        var early = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");
        var direct = await StoreGateway.ReadAsync(gateway, "/s/a");

        bundle.RequireCut();
        early.RequireEarly(expected);
        direct.RequireEarly(status);
        Assert.Equal(status switch { 404 => "Upstream/NotFound", 403 => "Upstream/Denied", _ => "Upstream/StorageError" }, gateway.Outcomes.All.First().Blame);
    }

    [Theory]
    [InlineData("not XML")]
    [InlineData("<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"b\">]><Error><Code>&a;</Code></Error>")]
    [InlineData("<Error><Code>Unheard&#27;[31m</Code></Error>")]
    [InlineData("long")]
    public async Task An_error_whose_body_cannot_be_read_is_the_error_of_its_status(string body)
    {
        await using var store = new ScriptedS3();
        store.Put("a", Size, seed: 1);
        var text = body == "long" ? $"<Error><Code>{new string('A', 100_000)}</Code></Error>" : body;
        store.Fail("a", new Fault { Status = 403, Head = $"HTTP/1.1 403 X\r\nContent-Length: {text.Length}\r\n\r\n{text}", Times = 20 });
        await using var gateway = await StoreGateway.StartAsync(store);

        var bundle = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");
        var direct = await StoreGateway.ReadAsync(gateway, "/s/a");

        bundle.RequireEarly(502);
        direct.RequireEarly(403);
        Assert.Equal("Upstream/Denied", gateway.Outcomes.All.First().Blame);
        Assert.DoesNotContain("Unheard", TextOf(direct), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(402)]
    [InlineData(405)]
    [InlineData(407)]
    [InlineData(421)]
    [InlineData(451)]
    [InlineData(511)]
    public async Task A_status_that_concerns_only_the_gateway_is_502_for_a_client(int status)
    {
        await using var store = new ScriptedS3();
        store.Put("a", Size, seed: 1);
        store.Fail("a", new Fault { Status = status, Head = $"HTTP/1.1 {status} Of-The-Store\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", Times = 20 });
        await using var gateway = await StoreGateway.StartAsync(store);

        var direct = await RawHttp.SendAsync(gateway.Address, "/s/a");

        Assert.Equal(502, RawHttp.StatusOf(direct));
        Assert.DoesNotContain("Of-The-Store", direct, StringComparison.Ordinal);
        Assert.DoesNotContain("Proxy-Authenticate", direct, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task The_store_s_reason_phrase_and_its_trailers_do_not_reach_a_client()
    {
        await using var store = new ScriptedS3();
        store.Put("a", Size, seed: 1);
        store.Fail("a", new Fault { Status = 200, Head = "HTTP/1.1 200 Of-The-Store\r\nETag: \"v\"\r\nTransfer-Encoding: chunked\r\nTrailer: x-amz-meta-owner\r\n\r\n5\r\nhello\r\n0\r\nx-amz-meta-owner: hidden\r\n\r\n" });
        await using var gateway = await StoreGateway.StartAsync(store);

        var direct = await RawHttp.SendAsync(gateway.Address, "/s/a", headers: "TE: trailers\r\n");

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", direct, StringComparison.Ordinal);
        Assert.Contains("hello", direct, StringComparison.Ordinal);
        Assert.DoesNotContain("owner", direct, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_public_bucket_is_read_without_a_signature()
    {
        await using var store = new ScriptedS3 { IsPublic = true };
        var body = store.Put("a", Size, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store, ("Stores:s:Credentials", "none"), ("Stores:s:AccessKey", null), ("Stores:s:SecretKey", null));

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);

        Assert.All(store.Upstream.Requests, request => Assert.Null(request.Header("Authorization")));
    }

    [Fact]
    public async Task The_gateway_pays_for_requests_if_it_is_configured_to()
    {
        await using var store = new ScriptedS3 { RequesterPays = true };
        var body = store.Put("a", Size, seed: 1);
        await using var gateway = await StoreGateway.StartAsync(store, ("Stores:s:RequesterPays", true));

        var direct = await StoreGateway.ReadAsync(gateway, "/s/a");
        var bundle = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");

        Assert.Equal(body, direct.Bytes);
        Assert.Equal(body, bundle.RequireWhole()["s/a"]);
        Assert.Empty(store.Refused);
    }

    private static Task<GatewayUnderTest> StartAsync(ScriptedS3 store, string cause)
    {
        store.Put("a", Size, seed: 1);
        switch (cause)
        {
            case "secret":
                return StoreGateway.StartAsync(store, ("Stores:s:SecretKey", "another"));
            case "access key":
                return StoreGateway.StartAsync(store, ("Stores:s:AccessKey", "AKIAANOTHER"));
            case "expired key":
                store.Accept(new S3Keys("AKIANEW", "new"));
                break;
            case "expired token":
                store.Accept(ScriptedS3.Keys with { SessionToken = "session-token" });
                store.Accept(new S3Keys("AKIANEW", "new"));
                return StoreGateway.StartAsync(store, ("Stores:s:SessionToken", "session-token"));
            case "region 400" or "region 301":
                (store.BucketRegion, store.RedirectsToRegion) = ("eu-west-1", cause == "region 301");
                break;
            case "clock behind":
                store.Clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(22.2));
                break;
            case "clock ahead":
                store.Clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(46.8));
                break;
            default:
                return GatewayUnderTest.StartAsync(StoreGateway.Configure($"{store.Address}gone/", "gone"));
        }

        return StoreGateway.StartAsync(store);
    }

    private static string TextOf(Download download) => System.Text.RegularExpressions.Regex.Unescape(Encoding.UTF8.GetString(download.Bytes));
}
