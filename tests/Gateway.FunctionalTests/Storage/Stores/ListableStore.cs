using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>A bucket, container or folder that allows listing, and a gateway's configuration for it, so that the same tests run with each.</summary>
internal sealed class ListableStore : IAsyncDisposable
{
    /// <summary>A folder of files, the scripted S3, Ceph and Azurite.</summary>
    public static readonly string[] Kinds = ["folder", "scripted", "ceph", "azure"];

    private static int _buckets;

    private readonly DirectoryInfo? _folder;
    private readonly RadosGateway? _rados;
    private readonly AzuriteServer? _azurite;
    private readonly (string Key, object Value)[] _settings;

    private ListableStore(string bucket, string address, DirectoryInfo? folder, ScriptedS3? scripted, RadosGateway? rados, AzuriteServer? azurite)
    {
        (Bucket, Address, _folder, Scripted, _rados, _azurite) = (bucket, address, folder, scripted, rados, azurite);
        _settings =
            scripted is not null ? Keys(ScriptedS3.Region, ScriptedS3.Keys.AccessKey, ScriptedS3.Keys.SecretKey)
            : rados is not null ? Keys(RadosGateway.Region, RadosGateway.AccessKey, RadosGateway.SecretKey)
            : azurite is not null ? [("Kind", "azure"), ("Bucket", bucket), ("Account", AzuriteServer.Account), ("AccountKey", AzuriteServer.AccountKey), ("AllowPlainHttp", true)]
            : [];

        (string, object)[] Keys(string region, string key, string secret) => [("Kind", "s3"), ("Bucket", bucket), ("Region", region), ("AccessKey", key), ("SecretKey", secret)];
    }

    public string Address { get; }

    public string Bucket { get; }

    /// <summary>The scripted store; null if it is another one.</summary>
    public ScriptedS3? Scripted { get; }

    /// <summary>Requests for pages that the scripted store has received, apart from the probe at the start.</summary>
    public int Listings => Scripted!.Upstream.Requests.Count(request => request.Path.Contains("list-type=2", StringComparison.Ordinal) && !IsProbe(request));

    public static async Task<ListableStore> StartAsync(SharedStores stores, string kind, bool isVersioned = false)
    {
        var bucket = string.Create(CultureInfo.InvariantCulture, $"listed-{Interlocked.Increment(ref _buckets)}");
        switch (kind)
        {
            case "folder":
                var folder = Directory.CreateTempSubdirectory("gateway-listed-");
                return new(bucket, $"file:{folder.FullName}/", folder, null, null, null);
            case "scripted":
                var scripted = new ScriptedS3(bucket);
                return new(bucket, $"{scripted.Address}{bucket}/", null, scripted, null, null);
            case "ceph":
                var rados = await stores.Rados;
                await rados.Client.CreateBucketAsync(bucket, isVersioned);
                return new(bucket, $"{rados.Address}{bucket}/", null, null, rados, null);
            default:
                var azurite = await stores.Azurite;
                await azurite.CreateContainerAsync(bucket);
                return new(bucket, $"{azurite.Address}{bucket}/", null, null, null, azurite);
        }
    }

    /// <summary>A scripted store alone.</summary>
    public static Task<ListableStore> StartScriptedAsync() => StartAsync(null!, "scripted");

    /// <summary>A gateway whose source s is this store.</summary>
    public async Task<GatewayUnderTest> StartGatewayAsync(params (string Key, object Value)[] settings)
    {
        var gateway = await GatewayUnderTest.StartAsync(Configure(settings));
        if (Scripted is not null)
        {
            // The probe must not meet a fault that the test has prepared for a request.
            await Eventually.TrueAsync(() => Scripted.Upstream.Requests.Any(IsProbe) && Scripted.Listings > 0 && Scripted.Upstream.Answering == 0, "the probe at the start");
        }

        return gateway;
    }

    /// <summary>The configuration of that gateway.</summary>
    /// <param name="settings">More of it.</param>
    public JsonObject Configure(params (string Key, object Value)[] settings)
    {
        var configuration = GatewayUnderTest.Configuration(("s", [Address]));
        GatewayUnderTest.Set(configuration, "ReverseProxy:Routes:s:Metadata:Bundle.List", "true");
        foreach (var (key, value) in _settings.Select(setting => ("Stores:s:" + setting.Key, setting.Value)).Concat(settings))
        {
            GatewayUnderTest.Set(configuration, key, value);
        }

        return configuration;
    }

    /// <summary>Stores objects whose bytes follow from their keys.</summary>
    public Task PutAsync(params string[] keys) => PutAsync(keys.Select(key => (key, ContentOf(key))));

    public async Task PutAsync(IEnumerable<(string Key, byte[] Bytes)> objects)
    {
        foreach (var (key, bytes) in _rados is null && _azurite is null ? objects : [])
        {
            if (_folder is not null)
            {
                var path = Path.Combine(_folder.FullName, key);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await File.WriteAllBytesAsync(path, bytes);
            }
            else
            {
                // Listings have milliseconds, responses have seconds.
                Scripted!.Upstream.Put(Scripted.PathOf(key), new ScriptedObject(ObjectContent.Of(bytes), $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\"") { Modified = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero) });
            }
        }

        await (_rados?.Client.PutAsync(Bucket, objects) ?? _azurite?.PutAsync(Bucket, objects) ?? Task.CompletedTask);
    }

    public async Task DeleteAsync(string key)
    {
        Scripted?.Upstream.Delete(Scripted.PathOf(key));
        if (_folder is not null)
        {
            File.Delete(Path.Combine(_folder.FullName, key));
        }

        await (_rados?.Client.DeleteAsync(Bucket, key) ?? _azurite?.DeleteAsync(Bucket, key) ?? Task.CompletedTask);
    }

    public static byte[] ContentOf(string key) => Encoding.UTF8.GetBytes("the content of " + key);

    private static bool IsProbe(ScriptedRequest request) => request.Path.EndsWith("&delimiter=%2F", StringComparison.Ordinal) && request.Path.Contains("&max-keys=1&", StringComparison.Ordinal);

    /// <summary>Keys in the order of their UTF-8 bytes.</summary>
    public static string[] Sort(IEnumerable<string> keys) => [.. keys.OrderBy(key => Convert.ToHexString(Encoding.UTF8.GetBytes(key)), StringComparer.Ordinal)];

    public async ValueTask DisposeAsync()
    {
        _folder?.Delete(recursive: true);
        await (Scripted?.DisposeAsync() ?? default);
    }
}
