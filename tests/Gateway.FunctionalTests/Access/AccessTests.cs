using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Deploy;
using Gateway.Storage;
using Testing;

namespace Gateway.FunctionalTests.Access;

/// <summary>Authentication and authorization; each way in needs one setting.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private const string Url = "/bundle?ids=s/a&format=tar";
    private const string ApiKey = "correct horse battery staple";

    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);
    private readonly ScriptedUpstream _upstream = new();
    private GatewayUnderTest _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream.Put("/a", 1000, seed: 1);
        _gateway = await StartAsync("default");
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData("/bundle?ids=s/a")]
    [InlineData("/bundle/plan?ids=s/a")]
    [InlineData("/s/a")]
    public async Task Without_credentials_the_response_is_401_and_storage_gets_no_request(string url)
    {
        using var answer = await _gateway.Client.GetAsync(url);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
        Assert.Empty(_upstream.Requests);
    }

    [Fact]
    public async Task A_bearer_token_grants_access_and_is_not_forwarded()
    {
        using var good = With("Authorization", "Bearer " + Token(TimeSpan.FromMinutes(5)));
        Assert.Single((await Download.SendAsync(_gateway.Client, good)).RequireWhole());
        Assert.All(_upstream.Requests, request => Assert.Null(request.Header("Authorization")));

        foreach (var bad in new[] { Token(TimeSpan.FromHours(-1)), Token(TimeSpan.FromMinutes(5), RandomNumberGenerator.GetBytes(32)), Token(TimeSpan.FromMinutes(5), audience: "others"), "x.y.z", "" })
        {
            using var request = With("Authorization", "Bearer " + bad);
            Assert.Equal(HttpStatusCode.Unauthorized, (await Download.SendAsync(_gateway.Client, request)).Status);
        }
    }

    [Fact]
    public async Task An_API_key_grants_access_and_is_not_forwarded()
    {
        using var good = With("X-Api-Key", ApiKey);
        Assert.Single((await Download.SendAsync(_gateway.Client, good)).RequireWhole());
        using var direct = new HttpRequestMessage(HttpMethod.Get, "/s/a");
        direct.Headers.Add("X-Api-Key", ApiKey);
        Assert.Equal(HttpStatusCode.OK, (await _gateway.Client.SendAsync(direct)).StatusCode);
        Assert.All(_upstream.Requests, request => Assert.Null(request.Header("X-Api-Key")));

        foreach (var bad in new[] { ApiKey + " ", "x", new string('x', 5000) })
        {
            using var request = With("X-Api-Key", bad);
            Assert.Equal(bad == ApiKey + " " ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, (await Download.SendAsync(_gateway.Client, request)).Status);
        }
    }

    [Fact]
    public async Task A_policy_requires_a_role()
    {
        await using var gateway = await StartAsync("writers");
        foreach (var (key, status) in new[] { (ApiKey, HttpStatusCode.Forbidden), ("writer's key", HttpStatusCode.OK) })
        {
            using var request = With("X-Api-Key", key);
            Assert.Equal(status, (await Download.SendAsync(gateway.Client, request)).Status);
        }
    }

    [Theory]
    [InlineData("bash", "bash", "sample.sh")]
    [InlineData("python", "python3", "sample.py")]
    [InlineData("javascript", "node", "sample.js")]
    [InlineData("csharp", "dotnet", "run sample.cs --")]
    [InlineData("go", "go", "run sample.go")]
    public async Task Every_sample_creates_a_valid_signed_URL_that_also_permits_ranges(string language, string program, string arguments)
    {
        if (language is "csharp" or "go")
        {
            Matrix.RequireFull(); // compiled first
        }

        if (language == "bash")
        {
            Tool.Require("openssl");
        }

        var text = await File.ReadAllTextAsync(Path.Combine(DeployTests.Root, "docs/signing.md"), TestContext.Current.CancellationToken);
        var begin = text.IndexOf($"```{language}\n", StringComparison.Ordinal) + language.Length + 4;
        var sample = text[begin..text.IndexOf("```", begin, StringComparison.Ordinal)];
        var folder = Directory.CreateTempSubdirectory("gateway-sample-");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, arguments.Split(' ').First(argument => argument.StartsWith("sample", StringComparison.Ordinal))), sample, TestContext.Current.CancellationToken);

        var result = await Tool.RunAsync(
            program, [.. arguments.Split(' '), Convert.ToBase64String(_secret), Url, $"{TimeProvider.System.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds()}"], folder: folder.FullName);
        folder.Delete(recursive: true);

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(Sign(result.Output[..result.Output.IndexOf("&signature", StringComparison.Ordinal)]), result.Output.Trim());
        var whole = await Download.GetAsync(_gateway.Client, result.Output.Trim());
        Assert.Single(whole.RequireWhole());
        using var request = new HttpRequestMessage(HttpMethod.Get, result.Output.Trim());
        request.Headers.Range = new RangeHeaderValue(500, null);
        Assert.Equal(whole.Bytes[500..], (await Download.SendAsync(_gateway.Client, request)).Bytes);
    }

    [Fact]
    public async Task No_part_of_a_signed_URL_can_be_changed()
    {
        var later = TimeProvider.System.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds();
        var good = Sign($"{Url}&expires={later}");
        Assert.Equal(HttpStatusCode.OK, (await Download.GetAsync(_gateway.Client, good)).Status);

        foreach (var bad in new[]
            {
                good.Replace("ids=s/a", "ids=s/b", StringComparison.Ordinal),
                good.Replace("tar", "zip", StringComparison.Ordinal),
                good.Replace($"{later}", $"{later + 1}", StringComparison.Ordinal),
                good.Replace("/bundle?", "/bundle/plan?", StringComparison.Ordinal),
                good.Replace("?ids=s/a&format=tar", "?format=tar&ids=s/a", StringComparison.Ordinal),
                good.Replace("ids=s/a", "ids=s%2Fa", StringComparison.Ordinal),
                good[..^1], good + "A", good + "&format=zip", good + "&signature=x",
                Sign($"{Url}&expires={TimeProvider.System.GetUtcNow().AddMinutes(-1).ToUnixTimeSeconds()}"),
                Sign(Url), Sign($"{Url}&expires=never"), Sign($"{Url}&expires={later}&name=x"),
            })
        {
            Assert.Contains((await Download.GetAsync(_gateway.Client, bad)).Status, (HttpStatusCode[])[HttpStatusCode.Unauthorized, HttpStatusCode.BadRequest]);
        }
    }

    [Theory]
    [InlineData("Authentication:Schemes:SignedUrl:Keys:0", "c2hvcnQ=", "Keys:0 is not Base64")]
    [InlineData("Authentication:Schemes:ApiKey:Keys:me:Sha256", "abc", "Keys:me:Sha256 is not 64")]
    [InlineData("Authentication:Schemes:SignedUrl:Keys", "c2VjcmV0c2VjcmV0", "SignedUrl:Keys: must be a non-empty list")]
    [InlineData("Authorization:Policies:writers:Rolls:0", "x", "unknown key")]
    [InlineData("Authorization:Policies:writers:Roles", "chief", "Roles: must be a non-empty list")]
    [InlineData("Authorization:Policies:writers:Roles", "", "Roles: must be a non-empty list")]
    [InlineData("Authorization:Policies:writers:Roles:x:y", "chief", "Roles: must be a non-empty list")]
    [InlineData("Authorization:Policies:writers:Claims", "scope", "Claims: must contain claims")]
    [InlineData("Authorization:Policies:writers:Claims:scope", "admin", "scope: must be a non-empty list")]
    public async Task An_error_in_these_sections_prevents_the_start(string key, string value, string expected)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, key, value);

        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayUnderTest.StartAsync(configuration));

        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(value.Length > 3 ? value : "\0", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "Authorization": { "Policies": { "writers": { "Roles": [] } } } }""")]
    [InlineData("""{ "Authorization": { "Policies": { "writers": { "Roles": [], "Claims": { "scope": ["x"] } } } } }""")]
    [InlineData("""{ "Authorization": { "Policies": { "writers": { "Roles": ["x"], "Claims": { "scope": [] } } } } }""")]
    [InlineData("""{ "Authorization": { "Policies": { "writers": { "Roles": [null] } } } }""")]
    [InlineData("""{ "Authorization": { "Policies": { "writers": {} } } }""")]
    [InlineData("""{ "Authentication": { "Schemes": { "SignedUrl": { "Keys": [null] } } } }""")]
    [InlineData("""{ "Authentication": { "Schemes": { "ApiKey": { "Keys": { "me": { "Sha256": null } } } } } }""")]
    [InlineData("""{ "Authentication": { "Schemes": { "ApiKey": { "Keys": { "me": {} } } } } }""")]
    public async Task Empty_values_grant_no_access(string json)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        configuration["ReverseProxy"]!["Routes"]!["s"]!["AuthorizationPolicy"] = json.Contains("writers", StringComparison.Ordinal) ? "writers" : "default";
        foreach (var (key, value) in JsonNode.Parse(json)!.AsObject())
        {
            configuration[key] = value!.DeepClone();
        }

        try
        {
            await using var gateway = await GatewayUnderTest.StartAsync(configuration);
            Assert.NotEqual(HttpStatusCode.OK, (await gateway.Client.GetAsync(Url)).StatusCode);
            using var request = With("X-Api-Key", ApiKey);
            Assert.NotEqual(HttpStatusCode.OK, (await gateway.Client.SendAsync(request)).StatusCode);
        }
        catch (InvalidConfigurationException)
        {
            // A failed start would also be fine.
        }
    }

    [Fact]
    public async Task A_signature_covers_the_URL_as_sent_and_not_other_encodings_of_it()
    {
        _upstream.Put("/a%3Fb", 10, seed: 1);
        _upstream.Put("/a%253Fb", 10, seed: 2);
        _upstream.Put("/a(", 10, seed: 3);
        _upstream.Put("/%C3%A9", 10, seed: 4);
        var expires = $"?expires={TimeProvider.System.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds()}";
        var signed = Sign("/s/a%3Fb" + expires);

        Assert.Contains("200", await RawAsync(signed), StringComparison.Ordinal);
        Assert.Contains("401", await RawAsync(signed.Replace("%3F", "%253F", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("200", await RawAsync(Sign("/s/a%28" + expires)), StringComparison.Ordinal);
        Assert.Contains("200", await RawAsync(Sign("/s/a%28?&" + expires[1..])), StringComparison.Ordinal);
        Assert.Contains("200", await RawAsync(Sign("/s/%c3%a9" + expires)), StringComparison.Ordinal);
        foreach (var tail in new[] { "=", "%", "%20", "%3D" })
        {
            Assert.DoesNotContain("200", await RawAsync(signed + tail), StringComparison.Ordinal);
        }

        // Storage sees neither signature nor time.
        Assert.All(_upstream.Requests, request => Assert.DoesNotContain("signature", request.Path, StringComparison.Ordinal));
        Assert.All(_upstream.Requests, request => Assert.DoesNotContain("expires", request.Path, StringComparison.Ordinal));
    }

    [Fact]
    public async Task In_an_absolute_form_URL_only_the_path_is_signed_and_a_later_slash_does_not_start_a_path()
    {
        var configuration = Configure("default");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Match:Path", "/{**key}");
        configuration["ReverseProxy"]!["Routes"]!["s"]!["Transforms"] = new JsonArray();
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        var signed = Sign($"/a?expires={TimeProvider.System.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds()}");

        Assert.Contains("200", await RawAsync(signed, gateway), StringComparison.Ordinal);
        Assert.Contains("200", await RawAsync("http://x" + signed, gateway), StringComparison.Ordinal);
        foreach (var forged in new[] { "http://x?list=all&z=", "http://x?list=all#", "http://x#", "http://x?" })
        {
            Assert.Contains("401", await RawAsync(forged + signed, gateway), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Holders_of_signed_URLs_are_counted_by_address_and_others_by_name()
    {
        _upstream.Put("/large", new ObjectContent(100 << 20, 1, compressible: false));
        await using var gateway = await StartAsync("default", ("Bundle:Limits:MaxPerClient", 1), ("Proxies:0", "127.0.0.1"));
        var signed = Sign($"/bundle?ids=s/large&expires={TimeProvider.System.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds()}");
        Assert.Equal([200, 429, 200], await StatusesAsync(("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "2.2.2.2")));

        async Task<List<int>> StatusesAsync(params (string Name, string Value)[] clients)
        {
            var (responses, statuses) = (new List<HttpResponseMessage>(), new List<int>());
            foreach (var (name, value) in clients)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, signed);
                request.Headers.Add(name, value);
                responses.Add(await gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead));
                statuses.Add((int)responses[^1].StatusCode);
            }

            responses.ForEach(response => response.Dispose());
            return statuses;
        }
    }

    [Theory]
    [InlineData(null, "Authorization", "Bearer {token}", false)]
    [InlineData(null, "authorization", "bearer {token}", false)]
    [InlineData("false", "Authorization", "Bearer {token}", false)]
    [InlineData("true", "Authorization", "Bearer {token}", true)]
    [InlineData(null, "Authorization", "Bearer meant.for.others", false)]
    [InlineData(null, "Authorization", "Basic dTpw", true)]
    public async Task A_proxied_route_forwards_a_bearer_token_only_if_its_metadata_permits_it(string? metadata, string header, string value, bool isForwarded)
    {
        var configuration = Configure("default");
        configuration["ReverseProxy"]!["Routes"]!["s"]!.AsObject().Remove("AuthorizationPolicy");
        if (metadata is not null)
        {
            GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.ForwardAuthorization", metadata);
        }

        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        foreach (var protocol in Ways.Protocols)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/s/a");
            request.Headers.TryAddWithoutValidation(header, value.Replace("{token}", Token(TimeSpan.FromMinutes(5)), StringComparison.Ordinal));
            Assert.Equal(HttpStatusCode.OK, (await Download.SendAsync(gateway.ClientOf(protocol), request)).Status);
        }

        Assert.Equal(Ways.Protocols.Length, _upstream.Requests.Count);
        Assert.All(_upstream.Requests, request => Assert.Equal(isForwarded, request.Header("Authorization") is not null));
    }

    [Theory]
    [InlineData("/bundle?ids=s/a")]
    [InlineData("/bundle/plan?ids=s/a")]
    [InlineData("/s/a?x=1")]
    public async Task The_holder_of_a_signed_URL_cannot_choose_another_tenant_with_a_header(string url)
    {
        _upstream.Put("/a?x=1", 10, seed: 1);
        var configuration = Configure("default");
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.Headers", "X-Tenant,Authorization");
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        using var request = new HttpRequestMessage(HttpMethod.Get, Sign($"{url}&expires={TimeProvider.System.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds()}"));
        request.Headers.Add("X-Tenant", "victim");
        request.Headers.Add("Authorization", "Bearer " + Token(TimeSpan.FromMinutes(5)));

        Assert.Equal(HttpStatusCode.OK, (await Download.SendAsync(gateway.Client, request)).Status);

        Assert.NotEmpty(_upstream.Requests);
        Assert.All(_upstream.Requests, at => Assert.Null(at.Header("X-Tenant")));
        Assert.All(_upstream.Requests, at => Assert.Null(at.Header("Authorization")));
    }

    [Theory]
    [InlineData("Authentication:Schemes:ApiKey:Keys:me:Hash", "00")]
    [InlineData("Authentication:Schemes:ApiKey:Keys:me:Shaa", "00")]
    [InlineData("Authentication:Schemes:ApiKey:Kyes", "x")]
    [InlineData("Bundle:Memory:Bound", "1000000")]
    [InlineData("Bundle:Compression:MaxWorkers", "2")]
    [InlineData("Bundle:Upstream:SmallObject", "2")]
    [InlineData("Bundle:Upstream:MaxAtOnce", "2")]
    public async Task A_computed_property_is_not_a_configuration_key(string key, string value)
    {
        var configuration = Configure("default");
        GatewayUnderTest.Set(configuration, "Authentication:Schemes:ApiKey:Keys:me:Sha256", new string('0', 64));
        GatewayUnderTest.Set(configuration, key, value);

        var fault = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayUnderTest.StartAsync(configuration));

        Assert.Contains($"{key}: unknown key; known: ", Assert.Single(fault.Faults), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"sub\":\"me\"", "\"sub\":\"you\"", 200)]
    [InlineData("\"sub\":\"me\",\"unique_name\":\"a\"", "\"sub\":\"me\",\"unique_name\":\"b\"", 429)]
    [InlineData("\"sub\":\"me\",\"unique_name\":\"a\"", "\"sub\":\"you\",\"unique_name\":\"a\"", 200)]
    [InlineData("\"unique_name\":\"a\"", "\"unique_name\":\"b\"", 429)]
    public async Task A_token_counts_by_issuer_and_subject_and_without_a_subject_by_address(string first, string second, int status)
    {
        _upstream.Put("/large", new ObjectContent(100 << 20, 1, compressible: false));
        await using var gateway = await StartAsync("default", ("Bundle:Limits:MaxPerClient", 1));
        using var running = await OpenAsync(first);
        using var other = await OpenAsync(second);

        Assert.Equal((200, status), ((int)running.StatusCode, (int)other.StatusCode));

        Task<HttpResponseMessage> OpenAsync(string claims)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, "/bundle?ids=s/large");
            request.Headers.Add("Authorization", "Bearer " + Token(TimeSpan.FromMinutes(5), claims: claims));
            return gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        }
    }

    [Fact]
    public async Task An_API_key_that_the_route_sets_for_storage_is_sent()
    {
        var configuration = Configure("default");
        configuration["ReverseProxy"]!["Routes"]!["s"]!["Transforms"]!.AsArray().Add(new JsonObject { ["RequestHeader"] = "X-Api-Key", ["Set"] = "storage's key" });
        await using var gateway = await GatewayUnderTest.StartAsync(configuration);
        foreach (var url in new[] { "/s/a", Url })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Add("X-Api-Key", ApiKey);
            Assert.Equal(HttpStatusCode.OK, (await gateway.Client.SendAsync(request)).StatusCode);
        }

        Assert.All(_upstream.Requests, request => Assert.Equal("storage's key", request.Header("X-Api-Key")));
    }

    /// <summary>The response headers for a target that no client library has normalized.</summary>
    private async Task<string> RawAsync(string target, GatewayUnderTest? gateway = null)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync((gateway ?? _gateway).Address.Host, (gateway ?? _gateway).Address.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        return (await new StreamReader(stream, Encoding.Latin1).ReadToEndAsync()).Split('\n')[0];
    }

    private static HttpRequestMessage With(string header, string value)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, Url);
        request.Headers.TryAddWithoutValidation(header, value);
        return request;
    }

    private static string Hash(string key) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private string Sign(string text) => $"{text}&signature={Base64Url.EncodeToString(HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes(text)))}";

    private string Token(TimeSpan lifetime, byte[]? secret = null, string audience = "gateway", string claims = "\"sub\":\"me\"")
    {
        var body = $"{Encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}")}.{Encode($"{{\"iss\":\"tests\",\"aud\":\"{audience}\",{claims},\"nbf\":0,\"exp\":{TimeProvider.System.GetUtcNow().Add(lifetime).ToUnixTimeSeconds()}}}")}";
        return $"{body}.{Base64Url.EncodeToString(HMACSHA256.HashData(secret ?? _secret, Encoding.ASCII.GetBytes(body)))}";

        static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
    }

    private Task<GatewayUnderTest> StartAsync(string policy, params (string Key, object Value)[] settings)
    {
        var configuration = Configure(policy);
        foreach (var (key, value) in settings)
        {
            GatewayUnderTest.Set(configuration, key, value);
        }

        return GatewayUnderTest.StartAsync(configuration);
    }

    private JsonObject Configure(string policy)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        configuration["ReverseProxy"]!["Routes"]!["s"]!["AuthorizationPolicy"] = policy;
        var secret = Convert.ToBase64String(_secret);
        configuration["Authentication"] = new JsonObject
        {
            ["Schemes"] = new JsonObject
            {
                ["Bearer"] = new JsonObject
                {
                    ["ValidAudiences"] = new JsonArray("gateway"),
                    ["ValidIssuer"] = "tests",
                    ["SigningKeys"] = new JsonArray(new JsonObject { ["Issuer"] = "tests", ["Value"] = secret }),
                },
                ["ApiKey"] = new JsonObject
                {
                    ["Keys"] = new JsonObject
                    {
                        ["reader"] = new JsonObject { ["Sha256"] = Hash(ApiKey) },
                        ["writer"] = new JsonObject { ["Sha256"] = Hash("writer's key"), ["Roles"] = new JsonArray("writer") },
                    },
                },
                ["SignedUrl"] = new JsonObject { ["Keys"] = new JsonArray(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)), secret) },
            },
        };
        GatewayUnderTest.Set(configuration, "Authorization:Policies:writers:Roles", new[] { "writer" });
        return configuration;
    }
}
