using System.IO.Hashing;
using System.Security.Cryptography;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>The checksums that S3 stores, which it only reports if it is asked for them.</summary>
public class StoreChecksumTests
{
    private const int Small = 20_000;
    private const int Large = 2 << 20;
    private const string Mode = "x-amz-checksum-mode";

    public static TheoryData<string, int> Kinds => new() { { "crc64nvme", 8 }, { "crc32c", 4 }, { "crc32", 4 }, { "sha1", 20 }, { "sha256", 32 } };

    [Fact]
    public async Task The_store_is_asked_for_checksums_of_whole_objects_and_they_match()
    {
        await using var store = new ScriptedS3();
        var content = new ObjectContent(Small, 1).ToArray();
        store.Put("a", Small, 1, ("x-amz-checksum-sha256", Convert.ToBase64String(SHA256.HashData(content))), ("x-amz-checksum-crc32", Convert.ToBase64String(BigEndian(Crc32.HashToUInt32(content)))));
        await using var gateway = await StoreGateway.StartAsync(store);

        var bundle = await Download.GetAsync(gateway.Client, "/bundle?ids=s/a");
        var direct = await StoreGateway.ReadAsync(gateway, "/s/a");

        Assert.Equal(content, bundle.RequireWhole()["s/a"]);
        Assert.Equal(content, direct.Bytes);
        Assert.All(store.RequestsFor("a").SkipLast(1), request => Assert.Equal("ENABLED", request.Header(Mode)));
        Assert.Empty(store.Refused);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Row_38_A_small_object_with_another_checksum_is_read_again_and_then_502(string kind, int length)
    {
        await using var store = new ScriptedS3();
        store.Put("a", Small, 1, ($"x-amz-checksum-{kind}", Convert.ToBase64String(new byte[length])));
        await using var gateway = await StoreGateway.StartAsync(store, ("Upstream:Attempts", 2));

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireEarly(502);

        Assert.Equal(("Upstream/ChecksumDiffers", 1), await gateway.RequireOneOutcomeAsync() is var outcome ? (outcome.Blame, outcome.Retries) : default);
        Assert.Empty(store.Refused);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Row_38_A_large_object_with_another_checksum_is_cut(string kind, int length)
    {
        await using var store = new ScriptedS3();
        store.Put("a", Large, 1, ($"x-amz-checksum-{kind}", Convert.ToBase64String(new byte[length])));
        await using var gateway = await StoreGateway.StartAsync(store, [.. Patience.Usual]);

        (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireCut();

        Assert.Equal("Upstream/ChecksumDiffers", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task A_small_object_that_was_damaged_once_is_read_again()
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", Small, 1, ("x-amz-checksum-sha1", Sha1(new ObjectContent(Small, 1).ToArray())));
        store.Fail("a", new Fault { Headers = new Dictionary<string, string> { ["x-amz-checksum-sha1"] = Sha1([]) } });
        await using var gateway = await StoreGateway.StartAsync(store);

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a&missing=abort")).RequireWhole()["s/a"]);

        Assert.Equal(1, (await gateway.RequireOneOutcomeAsync()).Retries);
    }

    [Fact]
    public async Task A_checksum_of_parts_is_not_compared_with_the_whole_object()
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", Small, 1, ("x-amz-checksum-sha256", $"{Convert.ToBase64String(new byte[32])}-2"), ("x-amz-checksum-type", "COMPOSITE"));
        await using var gateway = await StoreGateway.StartAsync(store);

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);

        Assert.Equal("None/None", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task Without_Checksums_the_store_is_not_asked()
    {
        await using var store = new ScriptedS3();
        var body = store.Put("a", Small, 1, ("x-amz-checksum-sha1", Sha1([])));
        await using var gateway = await StoreGateway.StartAsync(store, ("Stores:s:Checksums", false));

        Assert.Equal(body, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/a")).RequireWhole()["s/a"]);

        Assert.All(store.RequestsFor("a"), request => Assert.Null(request.Header(Mode)));
        Assert.Empty(store.Refused);
    }

    private static string Sha1(byte[] bytes) => Convert.ToBase64String(CryptographicOperations.HashData(HashAlgorithmName.SHA1, bytes));

    private static byte[] BigEndian(uint value)
    {
        var bytes = new byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
