using Gateway.Storage.Objects;
using Gateway.Storage.Sources;
using Testing;

namespace Storage.Tests.Objects;

public sealed class DecodedSizesTests : IDisposable
{
    private static readonly ObjectHead Stored = new(100, "\"v1\"", DateTimeOffset.UnixEpoch) { Encoding = "gzip" };

    private readonly DecodedSizes _sizes = new();
    private readonly Source _source = TestSource.Create(headers: ["X-Tenant"]);

    public void Dispose() => _sizes.Dispose();

    [Fact]
    public void The_size_of_a_version_is_known_until_it_is_removed()
    {
        var request = TestSource.Object(_source);
        Assert.Null(_sizes.Find(request, Stored));

        _sizes.Add(request, Stored, 5000);
        Assert.Equal(5000, _sizes.Find(request, Stored));
        _sizes.Remove(request, Stored);

        Assert.Null(_sizes.Find(request, Stored));
    }

    [Fact]
    public void Another_version_or_another_object_has_another_size()
    {
        _sizes.Add(TestSource.Object(_source), Stored, 5000);

        Assert.Null(_sizes.Find(TestSource.Object(_source), Stored with { ETag = "\"v2\"" }));
        Assert.Null(_sizes.Find(TestSource.Object(_source), Stored with { Size = 101 }));
        Assert.Null(_sizes.Find(TestSource.Object(_source), Stored with { Encoding = "br" }));
        Assert.Null(_sizes.Find(TestSource.Object(_source, "K"), Stored));
        Assert.Null(_sizes.Find(TestSource.Object(TestSource.Create("other", ["X-Tenant"])), Stored));
    }

    [Fact]
    public void The_same_key_of_another_tenant_is_another_object_and_other_headers_do_not_matter()
    {
        _sizes.Add(TestSource.Object(_source, client: TestClient.Create(("X-Tenant", "a"))), Stored, 5000);

        Assert.Null(_sizes.Find(TestSource.Object(_source, client: TestClient.Create(("X-Tenant", "b"))), Stored));
        Assert.Null(_sizes.Find(TestSource.Object(_source), Stored));
        Assert.Equal(5000, _sizes.Find(TestSource.Object(_source, client: TestClient.Create(("X-Tenant", "a"), ("X-Other", "c"))), Stored));
    }
}
