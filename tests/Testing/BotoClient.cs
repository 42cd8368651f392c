using System.Text.Json.Nodes;
using Xunit;

namespace Testing;

/// <summary>Another implementation of S3, boto3 in a Python process, that creates buckets and uploads objects.</summary>
internal sealed class BotoClient(string address, string accessKey, string secretKey)
{
    private const string Python = "/usr/bin/python3";
    private const int Threads = 16;

    private static readonly Lazy<string> Program = new(() => Resource.Read("s3-client.py"));

    /// <summary>Skips the test if boto3 is not installed.</summary>
    public static void Require()
    {
        Tool.RequireFile(Python);
        Tool.RequireFile("/usr/lib/python3/dist-packages/boto3/__init__.py");
    }

    public async Task CreateBucketAsync(string bucket, bool isVersioned = false)
    {
        await RunAsync(Call("create_bucket", ("Bucket", bucket)));
        if (isVersioned)
        {
            await RunAsync(Call("put_bucket_versioning", ("Bucket", bucket), ("VersioningConfiguration", new JsonObject { ["Status"] = "Enabled" })));
        }
    }

    /// <summary>Uploads an object and returns the response, for instance <c>ETag</c> and <c>VersionId</c>.</summary>
    public async Task<JsonObject> PutAsync(string bucket, string key, byte[] bytes) => (await PutAsync(bucket, [(key, bytes)]))[0];

    /// <summary>Uploads many objects at once, in one process.</summary>
    public Task<JsonObject[]> PutAsync(string bucket, IEnumerable<(string Key, byte[] Bytes)> objects) =>
        RunAsync([.. objects.Select(one => Call("put_object", ("Bucket", bucket), ("Key", one.Key), ("Body", Convert.ToBase64String(one.Bytes))))]);

    public Task DeleteAsync(string bucket, string key) => RunAsync(Call("delete_object", ("Bucket", bucket), ("Key", key)));

    /// <summary>A call of boto3.</summary>
    public static JsonObject Call(string name, params (string Name, JsonNode Value)[] arguments) => new()
    {
        ["name"] = name,
        ["arguments"] = new JsonObject(arguments.Select(argument => KeyValuePair.Create(argument.Name, (JsonNode?)argument.Value))),
    };

    /// <summary>Makes calls, at once if there are several, and requires that they succeed.</summary>
    public async Task<JsonObject[]> RunAsync(params JsonObject[] calls)
    {
        var results = await TryAsync(calls);
        Assert.All(results, result => Assert.False(result.ContainsKey("Error"), result.ToJsonString()));
        return results;
    }

    /// <summary>Makes calls; a result with <c>Error</c> and <c>Status</c> was refused.</summary>
    public async Task<JsonObject[]> TryAsync(params JsonObject[] calls)
    {
        Require();
        var request = new JsonObject
        {
            ["endpoint"] = address,
            ["accessKey"] = accessKey,
            ["secretKey"] = secretKey,
            ["threads"] = Math.Min(Threads, calls.Length),
            ["calls"] = new JsonArray([.. calls]),
        };
        var (code, output, error) = await Tool.RunAsync(Python, ["-c", Program.Value], System.Text.Encoding.UTF8.GetBytes(request.ToJsonString()));
        Assert.True(code == 0, error);
        return [.. JsonNode.Parse(output)!.AsArray().Select(result => result!.AsObject())];
    }
}
