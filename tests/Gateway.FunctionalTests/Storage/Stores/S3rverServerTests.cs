using System.Net;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>s3rver has the fault that the tests of changed objects need.</summary>
public class S3rverServerTests
{
    [Fact]
    public async Task S3rver_ignores_a_condition_and_responds_with_a_range_of_another_version()
    {
        await using var s3rver = await S3rverServer.StartAsync();
        await s3rver.Client.CreateBucketAsync("bucket");
        await s3rver.Client.PutAsync("bucket", "a", "content"u8.ToArray());
        var signer = new SignatureV4(S3rverServer.AccessKey, S3rverServer.SecretKey, "us-east-1");
        using var client = new HttpClient();
        using var request = signer.CreateRequest(HttpMethod.Get, new Uri($"{s3rver.Address}bucket/a"), ("If-Match", "\"another\""), ("Range", "bytes=3-"));

        using var response = await client.SendAsync(request);

        Assert.Equal((HttpStatusCode.PartialContent, "tent"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
    }
}
