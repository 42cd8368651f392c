using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Testing;

namespace Gateway.FunctionalTests.Bundles;

/// <summary>
/// A client may have the first half of an archive, its ETag, or a link from an earlier version of the gateway. The responses that an earlier
/// version gave are in <c>Golden/responses.json</c>. <c>GATEWAY_WRITE_GOLDEN=1</c> has the test write the file.
/// </summary>
public sealed class GoldenResponseTests : IAsyncLifetime
{
    private static readonly string[] Formats = ["tar.gz", "tar", "tar.zst", "zip"];
    private static readonly string[] Compressions = ["fast", "small", "store"];
    // By default, one of seven: each format, each compression and each kind of request is among them.
    private const int Reduced = 7;

    private static readonly string[] Requests = ["missing=fail", "missing=fail&receipt=true", "missing=skip&receipt=true", "missing=abort", "missing=abort&receipt=true"];
    private static readonly string[] Headers = ["ETag", "Last-Modified", "Content-Type", "Content-Disposition", "Accept-Ranges", "Content-Length", "Bundle-Entries", "Bundle-Skipped", "Bundle-Size", "Cache-Control"];

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static bool IsWritten => Environment.GetEnvironmentVariable("GATEWAY_WRITE_GOLDEN") == "1";

    private readonly ScriptedUpstream _upstream = new();
    private readonly FakeTimeProvider _time = new(new(2026, 11, 30, 0, 0, 0, TimeSpan.Zero));
    private GatewayUnderTest _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _upstream.Put("/text.txt", 5_000_017, seed: 1);
        _upstream.Put("/media.bin", 700_003, seed: 2, compressible: false);
        _upstream.Put("/empty", 0, seed: 3);
        _upstream.Put("/gr%C3%BC%C3%9Fe/%F0%9F%98%80.txt", 65_536, seed: 4);
        var configuration = GatewayUnderTest.Configuration(("s", [_upstream.Address]));
        GatewayUnderTest.Set(configuration, "Bundle:Links:Keys:0", Convert.ToBase64String(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()));
        GatewayUnderTest.Set(configuration, "Bundle:Links:Lifetime", "30.00:00:00");
        _gateway = await GatewayUnderTest.StartAsync(configuration, builder => builder.Services.AddSingleton<TimeProvider>(_time));
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Every_response_is_what_an_earlier_version_sent()
    {
        var golden = await ReadGoldenAsync();
        var actual = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var recipes = (from format in Formats from compression in Compressions from request in Requests select (format, compression, request)).Where((_, i) => Matrix.IsFull || IsWritten || i % Reduced == 0);
        foreach (var (format, compression, request) in recipes)
        {
            var query = $"format={format}&compression={compression}&{request}&name=golden&ids=s/text.txt,s/empty,s/gr%C3%BC%C3%9Fe/%F0%9F%98%80.txt,s/media.bin{(request.StartsWith("missing=skip", StringComparison.Ordinal) ? ",s/none" : "")}";
            var plan = await _gateway.Client.GetFromJsonAsync<JsonElement>($"/bundle/plan?{query}", TestContext.Current.CancellationToken);
            await _gateway.Outcomes.NextAsync();
            var name = $"{query[..query.IndexOf("&name", StringComparison.Ordinal)]} {plan.GetProperty("encoder")}";
            if (golden.Count > 0 && compression == "small" && !golden.ContainsKey(name))
            {
                // Its encoder is a native library, if there is one, and its name is in the recipe.
                continue;
            }

            var whole = await GetAsync(query, range: null);
            actual[name] = Describe(whole);
            if (whole.Response.Headers.AcceptRanges.Contains("bytes"))
            {
                foreach (var from in new[] { 1, 1000, whole.Bytes.Length / 2, whole.Bytes.Length - 1 })
                {
                    var rest = await GetAsync(query, new RangeHeaderValue(from, null));
                    Assert.Equal(whole.Bytes[from..], rest.Bytes);
                    actual[$"{name} bytes={from}-"] = Describe(rest);
                }

                var part = await GetAsync(query, new RangeHeaderValue(500, 999_999));
                actual[$"{name} bytes=500-999999"] = Describe(part);
            }
        }

        await AddLinksAsync(golden, actual);
        if (IsWritten)
        {
            await File.WriteAllTextAsync(PathOfGolden(), JsonSerializer.Serialize(actual, Json) + "\n");
            return;
        }

        Assert.All(actual, pair => Assert.Equal($"{pair.Key}: {golden.GetValueOrDefault(pair.Key)}", $"{pair.Key}: {pair.Value}"));
        Assert.DoesNotContain(golden.Keys, key => Matrix.IsFull && !actual.ContainsKey(key) && !key.Contains("compression=small", StringComparison.Ordinal));
    }

    /// <summary>Links that an earlier version made are in the file. Those that are made now are compared, too: they have the same clock and key.</summary>
    private async Task AddLinksAsync(IReadOnlyDictionary<string, string> golden, SortedDictionary<string, string> actual)
    {
        object[] entries = [new { id = "s/text.txt", name = "first" }, new { id = "s/media.bin" }];
        foreach (var pin in new[] { false, true })
        {
            var response = await _gateway.Client.PostAsJsonAsync("/bundle/links", new { format = "zip", entries, pin }, TestContext.Current.CancellationToken);
            await _gateway.Outcomes.NextAsync();
            var name = $"link pin={pin}";
            actual[name] = response.Headers.Location!.ToString();
            var link = golden.GetValueOrDefault(name) ?? actual[name];
            var download = await Download.GetAsync(_gateway.Client, link, TestContext.Current.CancellationToken);
            await _gateway.Outcomes.NextAsync();
            actual[$"{name} followed"] = Describe(download);
        }
    }

    private async Task<Download> GetAsync(string query, RangeHeaderValue? range)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/bundle?{query}");
        request.Headers.Range = range;
        var download = await Download.SendAsync(_gateway.Client, request, TestContext.Current.CancellationToken);
        Assert.Null(download.Cut);
        await _gateway.Outcomes.NextAsync();
        return download;
    }

    private static string Describe(Download download)
    {
        var headers = Headers.Append("Content-Range")
            .Select(name => (Name: name, Value: Find(download.Response, name)))
            .Where(header => header.Value is not null)
            .Select(header => $"{header.Name}: {header.Value}");
        return string.Create(CultureInfo.InvariantCulture, $"{(int)download.Status} {download.Bytes.Length} {Download.Hash(download.Bytes)[..32]} {string.Join("; ", headers)}");
    }

    private static string? Find(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values) ? string.Join(", ", values) : null;

    private static async Task<Dictionary<string, string>> ReadGoldenAsync() =>
        JsonSerializer.Deserialize<Dictionary<string, string>>(await File.ReadAllTextAsync(PathOfGolden()))!;

    private static string PathOfGolden([CallerFilePath] string file = "") => Path.Combine(Path.GetDirectoryName(file)!, "Golden", "responses.json");
}
