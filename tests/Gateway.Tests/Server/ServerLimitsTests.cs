using Gateway.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;

namespace Gateway.Tests.Server;

public class ServerLimitsTests
{
    private readonly KestrelServerLimits _limits = new();

    [Fact]
    public void Without_configuration_an_unknown_client_can_hold_little()
    {
        Apply();

        Assert.Null(_limits.MinResponseDataRate);
        Assert.Equal((65_536L, TimeSpan.FromSeconds(15), 100), (_limits.MaxRequestBufferSize, _limits.RequestHeadersTimeout, _limits.Http2.MaxStreamsPerConnection));
    }

    [Fact]
    public void A_configured_value_replaces_the_default()
    {
        Apply(("MaxRequestBufferSize", "131072"), ("Http2:MaxStreamsPerConnection", "7"), ("RequestHeadersTimeout", "00:00:20"), ("MaxConcurrentConnections", "50"));

        Assert.Equal((131_072L, TimeSpan.FromSeconds(20), 7), (_limits.MaxRequestBufferSize, _limits.RequestHeadersTimeout, _limits.Http2.MaxStreamsPerConnection));
        Assert.Equal(50, _limits.MaxConcurrentConnections);
    }

    [Theory]
    [InlineData("MaxRequestBuferSize", "1", "MaxRequestBuferSize")]
    [InlineData("MaxRequestBufferSize", "many", "MaxRequestBufferSize")]
    [InlineData("Http2:MaxStreamsPerConnection", "0", "Kestrel:Limits: ")]
    public void A_wrong_key_or_value_stops_the_start_with_a_line_that_names_it(string key, string value, string expected)
    {
        var fault = Assert.Throws<InvalidOperationException>(() => Apply((key, value)));

        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
        Assert.Null(fault.InnerException);
    }

    private void Apply(params (string Key, string Value)[] values) => ServerLimits.Apply(
        _limits, new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(one => $"Kestrel:Limits:{one.Key}", one => (string?)one.Value)).Build());
}
