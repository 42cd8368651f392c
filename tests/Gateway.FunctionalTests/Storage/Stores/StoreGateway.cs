using System.Globalization;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>A gateway whose source <c>s</c> is a store.</summary>
internal static class StoreGateway
{
    /// <summary>The configuration of a gateway in front of a store.</summary>
    /// <param name="store">The store.</param>
    /// <param name="settings">Keys that begin with <c>Stores:</c> or <c>ReverseProxy:</c>, or of the section <c>Bundle</c>. Null removes a key.</param>
    public static JsonObject Configure(ScriptedS3 store, params (string Key, object? Value)[] settings) =>
        Configure(store.Address.TrimEnd('/') + store.PathOf(""), store.Bucket, settings);

    /// <summary>The same for an address.</summary>
    public static JsonObject Configure(string address, string bucket, params (string Key, object? Value)[] settings)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [address]));
        (string, object?)[] store =
        [
            ("Stores:s:Kind", "s3"), ("Stores:s:Bucket", bucket), ("Stores:s:Region", ScriptedS3.Region),
            ("Stores:s:AccessKey", ScriptedS3.Keys.AccessKey), ("Stores:s:SecretKey", ScriptedS3.Keys.SecretKey),
        ];
        foreach (var (key, value) in store.Concat(settings))
        {
            var path = key.StartsWith("Stores:", StringComparison.Ordinal) || key.StartsWith("ReverseProxy:", StringComparison.Ordinal) ? key : $"Bundle:{key}";
            if (value is null)
            {
                Remove(configuration, path.Split(':'));
            }
            else
            {
                GatewayUnderTest.Set(configuration, path, value);
            }
        }

        return configuration;
    }

    public static Task<GatewayUnderTest> StartAsync(ScriptedS3 store, params (string Key, object? Value)[] settings) => GatewayUnderTest.StartAsync(Configure(store, settings));

    /// <summary>One object through the proxy.</summary>
    public static async Task<Download> ReadAsync(GatewayUnderTest gateway, string url, HttpMethod? method = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, url);
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        return await Download.SendAsync(gateway.Client, request);
    }

    /// <summary>The requests for a key.</summary>
    public static ScriptedRequest[] RequestsFor(this ScriptedS3 store, string key) => [.. store.Upstream.Requests.Where(request => request.Path.Split('?')[0] == store.PathOf(key))];

    /// <summary>The ETag of an object that a test has put.</summary>
    public static string ETag(int size, int seed) => string.Create(CultureInfo.InvariantCulture, $"\"{seed:x16}{size:x16}\"");

    private static void Remove(JsonObject configuration, string[] path)
    {
        var at = path[..^1].Aggregate(configuration, (parent, key) => (JsonObject)parent[key]!);
        at.Remove(path[^1]);
    }
}
