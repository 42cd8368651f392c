using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Testing;
using WireMock.RequestBuilders;
using WireMock.ResponseBuilders;
using WireMock.Server;
using WireMock.Settings;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>Credentials that a service issues: a real STS, and the services of the clouds as their documents describe them.</summary>
public sealed class StoreIdentityTests(SharedStores stores) : IDisposable
{
    private static readonly (string, object?)[] NoKeys = [("Stores:s:AccessKey", null), ("Stores:s:SecretKey", null)];
    private static readonly (string, object?) AcceptAnyCertificate = ("ReverseProxy:Clusters:s:HttpClient:DangerousAcceptAnyServerCertificate", true);

    // So that nothing of the machine is found.
    private static readonly Dictionary<string, string> NoOtherCredentials = new()
    {
        ["AWS_EC2_METADATA_DISABLED"] = "true",
        ["AWS_SHARED_CREDENTIALS_FILE"] = "/nonexistent",
        ["AWS_CONFIG_FILE"] = "/nonexistent",
        ["NO_GCE_CHECK"] = "true",
    };

    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData(RadosGateway.Role, true)]
    [InlineData("arn:aws:iam:::role/unknown", false)]
    public async Task A_role_is_assumed_at_Ceph_s_own_STS(string role, bool exists)
    {
        Matrix.RequireFull();
        const string Bucket = "assumed";
        await using var rados = await RadosGateway.StartAsync(hasSts: true);
        await rados.Client.CreateBucketAsync(Bucket);
        var body = Encoding.UTF8.GetBytes("read with the role");
        await rados.Client.PutAsync(Bucket, "x/a", body);
        var configuration = StoreGateway.Configure(
            $"{rados.Address}{Bucket}/", Bucket, ("Stores:s:Region", RadosGateway.Region), ("Stores:s:AccessKey", RadosGateway.AccessKey), ("Stores:s:SecretKey", RadosGateway.SecretKey),
            ("Stores:s:AssumeRole", role), ("ReverseProxy:Routes:s:Metadata:Bundle.List", "true"));
        await using var gateway = await StartAsync(configuration, ("AWS_ENDPOINT_URL_STS", rados.Address));

        var folder = await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/&format=tar");

        if (exists)
        {
            Assert.Equal(body, folder.RequireWhole()["s/x/a"]);
        }
        else
        {
            folder.RequireEarly(502);
            await Eventually.TrueAsync(() => gateway.Output.Any(line => line.Contains($"AssumeRole {role}", StringComparison.Ordinal)), "the log names the role");
        }
    }

    [Fact]
    public async Task A_web_identity_becomes_the_credentials_of_its_role()
    {
        Matrix.RequireFull();
        await using var store = new ScriptedS3();
        var body = store.Put("a", 1000, seed: 1);
        var issued = new S3Keys("ASIAWEBIDENTITY", "web/identity+secret", "web-identity-session");
        store.Accept(issued);
        await File.WriteAllTextAsync(_file, "token-of-the-pod");
        using var sts = WireMockServer.Start();
        sts.Given(Request.Create().UsingPost().WithBody(text => text!.Contains("Action=AssumeRoleWithWebIdentity", StringComparison.Ordinal) && text.Contains("WebIdentityToken=token-of-the-pod", StringComparison.Ordinal)))
            .RespondWith(Response.Create().WithHeader("Content-Type", "text/xml").WithBody($"""
                <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
                <SubjectFromWebIdentityToken>pod</SubjectFromWebIdentityToken><Audience>sts.amazonaws.com</Audience>
                <AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/pod/x</Arn><AssumedRoleId>A:x</AssumedRoleId></AssumedRoleUser>
                <Credentials><AccessKeyId>{issued.AccessKey}</AccessKeyId><SecretAccessKey>{issued.SecretKey}</SecretAccessKey><SessionToken>{issued.SessionToken}</SessionToken>
                <Expiration>{TimeProvider.System.GetUtcNow().AddHours(1):yyyy-MM-dd'T'HH:mm:ss'Z'}</Expiration></Credentials>
                </AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>
                """));
        await using var gateway = await StartAsync(
            StoreGateway.Configure(store, NoKeys), ("AWS_ENDPOINT_URL_STS", sts.Url!), ("AWS_REGION", ScriptedS3.Region), ("AWS_WEB_IDENTITY_TOKEN_FILE", _file), ("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"));

        var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&format=tar");

        Assert.Equal(body, download.RequireWhole()["s/a"]);
        Assert.Single(sts.LogEntries);
        RequireSecrecy(gateway, issued.SecretKey, issued.SessionToken!, "token-of-the-pod");
    }

    [Fact]
    public async Task A_managed_identity_reads_and_lists_Azure_with_a_bearer_token()
    {
        Matrix.RequireFull();
        await using var azurite = await AzuriteServer.StartAsync(acceptsTokens: true);
        await azurite.CreateContainerAsync("media");
        var body = Encoding.UTF8.GetBytes("read with a token");
        await azurite.PutAsync("media", "x/ü a", body);
        var token = CreateAzureToken();
        using var identity = WireMockServer.Start();
        var expires = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds();
        identity.Given(Request.Create().UsingGet().WithParam("resource", "https://storage.azure.com").WithHeader("X-IDENTITY-HEADER", "of-the-app"))
            .RespondWith(Response.Create().WithHeader("Content-Type", "application/json").WithBody(JsonSerializer.Serialize(new
            {
                access_token = token,
                expires_on = expires.ToString(CultureInfo.InvariantCulture),
                resource = "https://storage.azure.com",
                token_type = "Bearer",
                client_id = "c",
            })));
        var configuration = StoreGateway.Configure(
            $"{azurite.Address}media/", "media", [.. NoKeys, ("Stores:s:Region", null), ("Stores:s:Kind", "azure"), AcceptAnyCertificate, ("ReverseProxy:Routes:s:Metadata:Bundle.List", "true")]);
        await using var gateway = await StartAsync(configuration, ("IDENTITY_ENDPOINT", identity.Url + "/token"), ("IDENTITY_HEADER", "of-the-app"));

        var direct = await Download.GetAsync(gateway.Client, "/s/x/%C3%BC%20a");
        var folder = await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/&format=tar");

        Assert.Equal(body, direct.Bytes);
        Assert.Equal(body, folder.RequireWhole()["s/x/ü a"]);
        RequireSecrecy(gateway, token, "of-the-app");
    }

    [Theory]
    [InlineData("service account")]
    [InlineData("application default credentials")]
    [InlineData("metadata service")]
    [InlineData("metadata service that starts late")]
    public async Task Google_s_bearer_token_is_obtained_and_sent(string source)
    {
        Matrix.RequireFull();
        using var key = RSA.Create(2048);
        using var google = WireMockServer.Start();
        using var store = WireMockServer.Start(new WireMockServerSettings { UseSSL = true, CertificateSettings = new WireMockCertificateSettings { X509CertificateFilePath = TestCertificate.File } });
        const string Token = "ya29.token-of-the-account";
        google.Given(Request.Create().UsingPost().WithPath("/token").WithBody(form => IsAssertion(form!, key))).RespondWith(Json(Token));
        google.Given(Request.Create().UsingGet().WithPath("/computeMetadata/v1/instance/service-accounts/default/token").WithHeader("Metadata-Flavor", "Google")).RespondWith(Json(Token));
        google.Given(Request.Create().UsingGet().WithPath(source == "metadata service" ? "/" : "/nothing")).RespondWith(Response.Create().WithHeader("Metadata-Flavor", "Google"));
        store.Given(Request.Create().WithPath("/media/a").WithHeader("Authorization", "Bearer " + Token)).RespondWith(Response.Create().WithHeader("ETag", "\"v\"").WithBody("read with a token"));
        await File.WriteAllTextAsync(_file, JsonSerializer.Serialize(new
        {
            type = "service_account",
            project_id = "p",
            private_key_id = "k",
            private_key = key.ExportPkcs8PrivateKeyPem(),
            client_email = "gateway@p.iam.gserviceaccount.com",
            token_uri = google.Url + "/token",
        }));
        (string, object?)[] file = source == "service account" ? [("Stores:s:ServiceAccountFile", _file)] : [];
        var configuration = StoreGateway.Configure($"{store.Url}/media/", "media", [.. NoKeys, ("Stores:s:Region", null), ("Stores:s:Kind", "gcs"), AcceptAnyCertificate, .. file]);
        (string, string)[] variables = source switch
        {
            "application default credentials" => [("GOOGLE_APPLICATION_CREDENTIALS", _file)],
            "metadata service" or "metadata service that starts late" => [("GCE_METADATA_HOST", new Uri(google.Url!).Authority), ("NO_GCE_CHECK", "")],
            _ => [],
        };
        await using var gateway = await StartAsync(configuration, variables);

        var download = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&format=tar");

        Assert.Equal("read with a token", Encoding.UTF8.GetString(download.RequireWhole()["s/a"]));
        Assert.Single(google.LogEntries, entry => entry.RequestMessage!.Path.Contains("token", StringComparison.Ordinal));
        RequireSecrecy(gateway, Token);

        static IResponseBuilder Json(string token) =>
            Response.Create().WithHeader("Content-Type", "application/json").WithBody($$"""{"access_token":"{{token}}","expires_in":3600,"token_type":"Bearer"}""");
    }

    [Fact]
    public async Task Objects_that_are_encrypted_with_the_customer_s_key_are_read_from_Ceph_over_TLS()
    {
        const string Key = "0123456789abcdef0123456789ABCDEF";
        var rados = await stores.Rados;
        await rados.Client.CreateBucketAsync("customer-key");
        var body = new ObjectContent(300_000, 1).ToArray();
        await rados.Client.RunAsync(BotoClient.Call(
            "put_object", ("Bucket", "customer-key"), ("Key", "a"), ("Body", Convert.ToBase64String(body)), ("SSECustomerAlgorithm", "AES256"), ("SSECustomerKey", Key)));
        await File.WriteAllTextAsync(_file, Convert.ToBase64String(Encoding.ASCII.GetBytes(Key)) + "\n");
        (string, object?)[] settings =
        [
            ("Stores:s:Region", RadosGateway.Region), ("Stores:s:AccessKey", RadosGateway.AccessKey), ("Stores:s:SecretKey", RadosGateway.SecretKey), AcceptAnyCertificate,
        ];
        var address = $"{rados.TlsAddress}customer-key/";
        await using var gateway = await GatewayUnderTest.StartAsync(StoreGateway.Configure(address, "customer-key", [.. settings, ("Stores:s:CustomerKeyFile", _file)]));
        await using var without = await GatewayUnderTest.StartAsync(StoreGateway.Configure(address, "customer-key", settings));

        Assert.Equal(body, (await StoreGateway.ReadAsync(gateway, "/s/a")).Bytes);
        Assert.Equal(body[1000..2000], (await StoreGateway.ReadAsync(gateway, "/s/a", null, ("Range", "bytes=1000-1999"))).Bytes);
        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&format=tar")).RequireWhole()["s/a"]);
        (await Download.GetAsync(without.Client, "/bundle?ids=s/a&format=tar")).RequireEarly(502);
        Assert.DoesNotContain(gateway.Outcomes.Lines, line => line.Contains(Key, StringComparison.Ordinal));
    }

    /// <summary>Starts a gateway and waits for its first request to the store: the search for credentials may take long on a busy machine.</summary>
    private static async Task<GatewayProcess> StartAsync(JsonObject configuration, params (string Name, string Value)[] variables)
    {
        var environment = new Dictionary<string, string>(NoOtherCredentials);
        foreach (var (name, value) in variables)
        {
            environment[name] = value;
        }

        var gateway = await GatewayProcess.StartAsync(configuration, variables: environment);
        await Eventually.TrueAsync(() => gateway.Output.Any(line => line.Contains("Store s ", StringComparison.Ordinal)), "the first request to the store");
        return gateway;
    }

    private static void RequireSecrecy(GatewayProcess gateway, params string[] secrets) =>
        Assert.DoesNotContain(gateway.Output, line => secrets.Any(secret => line.Contains(secret, StringComparison.Ordinal)));

    /// <summary>What Azurite verifies: issuer, audience and time.</summary>
    private static string CreateAzureToken()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var payload = new { aud = "https://storage.azure.com", iss = "https://sts.windows.net/tenant/", nbf = now - 60, iat = now - 60, exp = now + 3600, oid = "o", tid = "tenant", ver = "1.0" };
        return $"{Encode(new { alg = "none", typ = "JWT" })}.{Encode(payload)}.c2lnbmF0dXJl";

        static string Encode<T>(T part) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));
    }

    /// <summary>Whether a form contains an assertion that the account's key has signed (RFC 7523).</summary>
    private static bool IsAssertion(string form, RSA key)
    {
        var fields = form.Split('&').Select(field => field.Split('=', 2)).ToDictionary(pair => pair[0], pair => Uri.UnescapeDataString(pair[1]));
        var parts = fields["assertion"].Split('.');
        return fields["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            && key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }
}
