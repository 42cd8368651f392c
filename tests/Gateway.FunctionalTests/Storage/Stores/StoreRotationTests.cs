using System.Globalization;
using System.Net;
using Testing;
using WireMock.RequestBuilders;
using WireMock.ResponseBuilders;
using WireMock.Server;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>Keys are replaced while the gateway is in use.</summary>
public sealed class StoreRotationTests : IDisposable
{
    private static readonly S3Keys New = ScriptedS3.Keys with { SecretKey = "the/new+secret=" };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-secret-");

    private string SecretFile => Path.Combine(_folder.FullName, "secret");

    private (string, object?)[] FromFile => [("Stores:s:SecretKey", null), ("Stores:s:SecretKeyFile", SecretFile)];

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task A_bundle_is_whole_although_its_secret_is_replaced_while_it_runs(Protocol protocol, string recipe)
    {
        const int Size = 12 << 20;
        await using var store = new ScriptedS3();
        foreach (var i in Enumerable.Range(0, 4))
        {
            store.Put($"{i}", new ObjectContent(Size, i, compressible: false), $"\"{i}\"");
            store.Fail($"{i}", Fault.Close(Size / 2));
        }

        Replace(ScriptedS3.Keys);
        await using var gateway = await StoreGateway.StartAsync(store, FromFile);
        await using var client = await PausingClient.OpenAsync(gateway, protocol, $"/bundle?ids=s/0,s/1,s/2,s/3&{recipe}");

        Replace(New);
        store.Accept(New);
        var entries = (await client.TakeRestAsync()).RequireWhole();

        Assert.Equal(Enumerable.Range(0, 4).Select(i => new ObjectContent(Size, i, compressible: false).Hash()), entries.Values.Select(Download.Hash));
        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task No_request_of_many_fails_when_the_secret_is_replaced()
    {
        var count = Matrix.Of(full: 4000, reduced: 400);
        await using var store = new ScriptedS3();
        store.Put("a", 1000, seed: 1);
        Replace(ScriptedS3.Keys);
        await using var gateway = await StoreGateway.StartAsync(store, FromFile);
        var sent = 0;

        var statuses = await Task.WhenAll(Enumerable.Range(0, 16).Select(async i =>
        {
            var results = new List<HttpStatusCode>();
            while (Interlocked.Increment(ref sent) is var number && number <= count)
            {
                if (number == count / 2)
                {
                    Replace(New);
                    store.Accept(New);
                }

                results.Add((await StoreGateway.ReadAsync(gateway, "/s/a", i % 4 == 0 ? HttpMethod.Head : HttpMethod.Get)).Status);
            }

            return results;
        }));

        Assert.Equal((count, HttpStatusCode.OK), (statuses.Sum(results => results.Count), Assert.Single(statuses.SelectMany(results => results).Distinct())));
        Assert.NotEmpty(store.Refused);
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("gone")]
    [InlineData("folder")]
    public async Task While_the_file_of_a_secret_cannot_be_read_the_previous_secret_is_used(string state)
    {
        await using var store = new ScriptedS3();
        store.Put("a", 1000, seed: 1);
        Replace(ScriptedS3.Keys);
        await using var gateway = await StoreGateway.StartAsync(store, FromFile);
        await StoreGateway.ReadAsync(gateway, "/s/a");
        File.Delete(SecretFile);
        if (state == "empty")
        {
            File.WriteAllText(SecretFile, "\n");
        }
        else if (state == "folder")
        {
            Directory.CreateDirectory(SecretFile);
        }

        // A rejected secret is read again at once.
        store.Fail("a", 403, "SignatureDoesNotMatch");
        var download = await StoreGateway.ReadAsync(gateway, "/s/a");

        Assert.Equal(HttpStatusCode.OK, download.Status);
    }

    [Fact]
    public async Task An_empty_secret_at_the_start_stops_nothing_and_is_reported()
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", 1000, seed: 1);
        File.WriteAllText(SecretFile, "");
        await using var gateway = await StoreGateway.StartAsync(store, FromFile);

        var empty = await StoreGateway.ReadAsync(gateway, "/s/a");
        Replace(ScriptedS3.Keys);
        var filled = await StoreGateway.ReadAsync(gateway, "/s/a");

        empty.RequireEarly(502);
        Assert.Contains(gateway.Outcomes.Lines, line => line.Contains("NoCredential", StringComparison.Ordinal) && line.Contains("is empty", StringComparison.Ordinal));
        Assert.Equal(body, filled.Bytes);
    }

    [Fact]
    public async Task A_chain_whose_keys_last_two_seconds_serves_a_long_bundle()
    {
        Matrix.RequireFull();
        var count = Matrix.Of(full: 1200, reduced: 120);
        await using var store = new ScriptedS3(upstream: new ScriptedUpstream { Throttle = new Throttle(503, null) { MaxAtOnce = 2, Latency = TimeSpan.FromMilliseconds(100) } });
        foreach (var i in Enumerable.Range(0, count))
        {
            store.Put($"{i}", 1000, seed: i);
        }

        using var metadata = WireMockServer.Start();
        Issue(metadata, store);
        await using var gateway = await GatewayProcess.StartAsync(StoreGateway.Configure(store, ("Stores:s:AccessKey", null), ("Stores:s:SecretKey", null)), variables: new Dictionary<string, string>
        {
            ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = $"{metadata.Url}/credentials",
            ["AWS_EC2_METADATA_DISABLED"] = "true",
            ["AWS_SHARED_CREDENTIALS_FILE"] = "/nonexistent",
            ["AWS_CONFIG_FILE"] = "/nonexistent",
        });

        var download = await Download.GetAsync(gateway.Client, $"/bundle?ids={string.Join(',', Enumerable.Range(0, count).Select(i => $"s/{i}"))}&missing=abort&format=tar");

        Assert.Equal(count, download.RequireWhole().Count);
        Assert.InRange(metadata.LogEntries.Count, 3, 10_000);
        Assert.DoesNotContain(gateway.Output, line => line.Contains("issued-secret", StringComparison.Ordinal) || line.Contains("issued-token", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_in_the_vendor_s_own_file_can_be_replaced()
    {
        Matrix.RequireFull();
        await using var store = new ScriptedS3();
        var body = store.Put("a", 1000, seed: 1);
        WriteProfile(ScriptedS3.Keys);
        await using var gateway = await GatewayProcess.StartAsync(StoreGateway.Configure(store, ("Stores:s:AccessKey", null), ("Stores:s:SecretKey", null)), variables: new Dictionary<string, string>
        {
            ["AWS_SHARED_CREDENTIALS_FILE"] = SecretFile,
            ["AWS_CONFIG_FILE"] = "/nonexistent",
            ["AWS_EC2_METADATA_DISABLED"] = "true",
        });
        var before = await Download.GetAsync(gateway.Client, "/s/a");

        var changed = new S3Keys("AKIAROTATED", "the-rotated-secret");
        WriteProfile(changed);
        store.Accept(changed);
        var after = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&format=tar");

        Assert.Equal(body, before.Bytes);
        Assert.Equal(body, after.RequireWhole()["s/a"]);
    }

    [Fact]
    public async Task Without_any_credential_requests_are_502_and_the_log_names_the_chain()
    {
        await using var store = new ScriptedS3();
        store.Put("a", 1000, seed: 1);
        await using var gateway = await GatewayProcess.StartAsync(StoreGateway.Configure(store, ("Stores:s:AccessKey", null), ("Stores:s:SecretKey", null)), variables: new Dictionary<string, string>
        {
            ["AWS_SHARED_CREDENTIALS_FILE"] = "/nonexistent",
            ["AWS_CONFIG_FILE"] = "/nonexistent",
            ["AWS_EC2_METADATA_DISABLED"] = "true",
        });

        var direct = await Download.GetAsync(gateway.Client, "/s/a");
        var bundle = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");

        direct.RequireEarly(502);
        bundle.RequireEarly(502);
        Assert.Contains("The gateway has no credential for storage.", System.Text.Encoding.UTF8.GetString(bundle.Bytes), StringComparison.Ordinal);
        Assert.Empty(store.Upstream.Requests);
        await Eventually.TrueAsync(() => gateway.Output.Any(line => line.Contains("AWS credential chain", StringComparison.Ordinal)), "the log names the chain");
    }

    /// <summary>A metadata service that issues other keys at each request. Only the last few are accepted.</summary>
    private static void Issue(WireMockServer metadata, ScriptedS3 store)
    {
        const int Accepted = 3;
        var issued = new List<S3Keys>();
        metadata.Given(Request.Create().WithPath("/credentials")).RespondWith(Response.Create().WithHeader("Content-Type", "application/json").WithBody(_ =>
        {
            lock (issued)
            {
                var keys = new S3Keys($"AKIAISSUED{issued.Count}", $"issued-secret-{issued.Count}", $"issued-token-{issued.Count}");
                issued.Add(keys);
                store.Accept([.. issued.TakeLast(Accepted)]);
                var expiration = (TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(2)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
                return $$"""{"AccessKeyId":"{{keys.AccessKey}}","SecretAccessKey":"{{keys.SecretKey}}","Token":"{{keys.SessionToken}}","Expiration":"{{expiration}}"}""";
            }
        }));
    }

    private void WriteProfile(S3Keys keys) => File.WriteAllText(SecretFile, $"[default]\naws_access_key_id = {keys.AccessKey}\naws_secret_access_key = {keys.SecretKey}\n");

    /// <summary>As orchestrators do: the file is complete at every moment.</summary>
    private void Replace(S3Keys keys)
    {
        var next = Path.Combine(_folder.FullName, "next");
        File.WriteAllText(next, keys.SecretKey + "\n");
        File.Move(next, SecretFile, overwrite: true);
    }
}
