using System.Text;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>Whatever fails, secrets appear nowhere, and nothing that the store reports about itself leaves the gateway.</summary>
public class StoreSecrecyTests
{
    private const string Token = "session-token-that-must-not-leak";
    private const string Hidden = "words-of-the-store";

    private static readonly string[] Urls =
        ["/s/a", "/bundle?ids=s/a,s/none", "/bundle?ids=s/b,s/a&missing=abort&format=tar", "/s/none", "/bundle?ids=s/a,s/b", "/bundle/plan?ids=s/a,s/b", "/bundle?ids=s/cold"];

    [Fact]
    public async Task No_log_line_and_no_response_contains_a_secret_or_what_the_store_reports_about_itself()
    {
        await using var store = Create();
        await using var gateway = await StoreGateway.StartAsync(
            store, ("Stores:s:SessionToken", Token), ("Upstream:Attempts", 2), ("Upstream:FirstByteTimeout", TimeSpan.FromSeconds(1)), ("Upstream:StallTimeout", TimeSpan.FromMilliseconds(300)), ("Upstream:LookaheadBytes", 0));
        var responses = new List<string>();

        foreach (var failure in Failures(store))
        {
            failure();
            foreach (var url in Matrix.Of(full: Urls, reduced: Urls[..3]))
            {
                responses.Add(Describe(await StoreGateway.ReadAsync(gateway, url)));
                responses.Add(Describe(await StoreGateway.ReadAsync(gateway, url, HttpMethod.Head)));
            }
        }

        await gateway.RequireNothingHeldSoonAsync();
        var signatures = store.Upstream.Requests.Select(request => request.Header("Authorization")?.Split("Signature=")[^1]).OfType<string>().Where(signature => signature.Length == 64).Distinct().ToArray();
        string[] secrets = [ScriptedS3.Keys.SecretKey, Token, ScriptedS3.HostId, ScriptedS3.RequestId, SignatureV4.Algorithm, "StringToSign", Hidden, "The store's own message", .. signatures];
        Assert.NotEmpty(signatures);
        var leaks = gateway.Outcomes.Lines.Where(line => secrets.Any(secret => line.Contains(secret, StringComparison.OrdinalIgnoreCase))).ToArray();
        Assert.True(leaks.Length == 0, string.Join('\n', leaks));
        Assert.All([.. secrets, store.Bucket, ScriptedS3.Keys.AccessKey, new Uri(store.Address).Authority], secret => Assert.DoesNotContain(responses, response => response.Contains(secret, StringComparison.OrdinalIgnoreCase)));
        Assert.InRange(gateway.Outcomes.All.Select(outcome => outcome.Blame).Distinct().Count(), 8, 100);
    }

    private static ScriptedS3 Create()
    {
        var store = new ScriptedS3();
        store.Accept(ScriptedS3.Keys with { SessionToken = Token });
        store.Put("a", 400_000, 1, ("x-amz-meta-secret", Hidden));
        store.Put("b", 1000, 2, ("x-amz-meta-secret", Hidden));
        store.Put("cold", 1000, 3, ("x-amz-storage-class", "GLACIER"));
        return store;
    }

    /// <summary>Failures of every kind, one after the other; each ends the one before.</summary>
    private static IEnumerable<Action> Failures(ScriptedS3 store)
    {
        var keys = ScriptedS3.Keys with { SessionToken = Token };
        foreach (var (status, code) in new[]
        {
            (403, "AccessDenied"), (403, "InvalidObjectState"), (404, "NoSuchBucket"), (500, "InternalError"), (503, "SlowDown"), (403, "SignatureDoesNotMatch"), (400, "ExpiredToken"), (301, "PermanentRedirect"),
            (307, "TemporaryRedirect"), (409, "Unheard"), (405, "MethodNotAllowed"), (400, "InvalidRequest"), (416, "InvalidRange"), (412, "PreconditionFailed"),
        })
        {
            yield return () => FailOften(store, status, code);
        }

        foreach (var fault in new[]
        {
            Fault.Reset(100_000), Fault.Close(0), Fault.Stall(1000), new Fault { After = -1, Ending = Ending.Reset }, Fault.Answer(302, ("Location", $"https://{Hidden}.example/{store.Bucket}")),
            new Fault { Head = $"HTTP/1.1 200 {Hidden}\r\nContent-Length: many\r\n\r\n", Ending = Ending.Close }, new Fault { Head = "not HTTP\r\n\r\n", Ending = Ending.Close },
            Fault.Answer(401, ("WWW-Authenticate", Hidden)), Fault.Answer(503, ("Retry-After", "1"), ("x-amz-id-2", ScriptedS3.HostId)),
        })
        {
            yield return () => store.Fail("a", fault with { Times = 3 });
        }

        yield return () => store.BucketRegion = "eu-west-1";
        yield return () => (store.BucketRegion, store.RedirectsToRegion) = ("us-gov-west-1", true);
        yield return () => (store.BucketRegion, store.Clock) = (ScriptedS3.Region, new FakeTimeProvider(TimeProvider.System.GetUtcNow() + TimeSpan.FromHours(1)));
        yield return () => (store.Clock, store.HidesMissing) = (TimeProvider.System, true);
        yield return () => store.Accept(new S3Keys("AKIANEW", "another", "another"));
        yield return () => store.Accept(keys with { SecretKey = "another" });
        yield return () => store.Accept(keys with { SessionToken = "another" });
    }

    private static void FailOften(ScriptedS3 store, int status, string code)
    {
        for (var i = 0; i < 4; i++)
        {
            store.Fail("a", status, code);
        }

        store.Fail("a", status, code, "HEAD");
    }

    private static string Describe(Download download) =>
        $"{download.Head?.Headers}{download.Head?.Content.Headers}{Encoding.UTF8.GetString(download.Bytes.AsSpan(0, Math.Min(download.Bytes.Length, 20_000)))}";
}
