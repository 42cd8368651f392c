using Gateway.Storage.Connections;
using Microsoft.Extensions.Time.Testing;

namespace Storage.Tests.Connections;

public class FailureCountsTests
{
    private readonly FailureCounts _counts = new(new FakeTimeProvider());

    [Theory]
    [InlineData("http://host:9000/", "http://HOST:9000/other/path?x", true)]
    [InlineData("http://host/", "http://host:80/a", true)]
    [InlineData("http://host/", "https://host/", false)]
    [InlineData("http://host/", "http://host:81/", false)]
    [InlineData("http://host/", "http://other/", false)]
    public void A_destination_is_a_scheme_a_host_and_a_port(string one, string other, bool isSame) =>
        Assert.Equal(isSame, ReferenceEquals(_counts.Get(new Uri(one)), _counts.Get(new Uri(other))));
}
