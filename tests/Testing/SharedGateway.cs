using System.Text.Json.Nodes;
using Xunit;

namespace Testing;

/// <summary>One storage and one gateway for all tests of a class. They run at the same time, so none may change either, or count all requests or outcomes.</summary>
public abstract class SharedGateway : IAsyncLifetime
{
    internal ScriptedUpstream Upstream { get; } = new();

    internal GatewayUnderTest Gateway { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Gateway = await GatewayUnderTest.StartAsync(Configure(Upstream));

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await Upstream.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Puts the objects and returns the configuration of the gateway.</summary>
    private protected abstract JsonObject Configure(ScriptedUpstream upstream);
}
