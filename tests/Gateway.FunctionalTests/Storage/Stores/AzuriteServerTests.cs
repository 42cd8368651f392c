using System.Net;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>Azurite, as the tests of Azure start it, verifies what they rely on.</summary>
public sealed class AzuriteServerTests(SharedStores stores)
{
    [Fact]
    public async Task Azurite_serves_a_blob_only_for_the_account_key()
    {
        var azurite = await stores.Azurite;
        await azurite.CreateContainerAsync("signatures");
        await azurite.PutAsync("signatures", "folder/a b+ü=1", "content"u8.ToArray());
        var path = AzuriteServer.PathOf("signatures", "folder/a b+ü=1");

        using var valid = await azurite.SendAsync(HttpMethod.Get, path, body: null, [("Range", "bytes=3-")]);
        using var wrongKey = await azurite.SendAsync(HttpMethod.Get, path, body: null, key: Convert.ToBase64String(new byte[64]));
        using var client = new HttpClient();
        using var unsigned = await client.GetAsync(new Uri(azurite.Address + path));

        Assert.Equal((HttpStatusCode.PartialContent, "tent"), (valid.StatusCode, await valid.Content.ReadAsStringAsync()));
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (wrongKey.StatusCode, unsigned.StatusCode));
    }

    [Fact]
    public async Task Many_blobs_are_uploaded_and_listed()
    {
        var count = Matrix.Of(full: 1_000, reduced: 50);
        var azurite = await stores.Azurite;
        await azurite.CreateContainerAsync("many");

        await azurite.PutAsync("many", Enumerable.Range(0, count).Select(i => ($"x/{i}", new byte[] { 1, 2, 3 })));
        await azurite.DeleteAsync("many", "x/0");
        using var listing = await azurite.SendAsync(HttpMethod.Get, "many?restype=container&comp=list&prefix=x%2F&maxresults=5000", body: null);

        Assert.Equal(count - 1, (await listing.Content.ReadAsStringAsync()).Split("<Blob>").Length - 1);
    }
}
