namespace Testing;

/// <summary>Servers that all tests of an assembly share, because they take seconds to start. Each starts when the first test needs it. Tests that need them run only
/// in the full matrix; the scripted store covers the same code by default.</summary>
public sealed class SharedStores : IAsyncDisposable
{
    private readonly Lazy<Task<RadosGateway>> _rados = new(() => RadosGateway.StartAsync());
    private readonly Lazy<Task<AzuriteServer>> _azurite = new(() => AzuriteServer.StartAsync());

    /// <summary>A setting for tests with thousands of objects: other tests keep the same servers busy.</summary>
    internal static (string Key, object Value) Patient => ("Bundle:Upstream:FirstByteTimeout", "00:02:00");

    /// <summary>Ceph. Each test uses a separate bucket.</summary>
    internal Task<RadosGateway> Rados => Start(_rados);

    /// <summary>Azurite. Each test uses a separate container.</summary>
    internal Task<AzuriteServer> Azurite => Start(_azurite);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await DisposeAsync(_rados);
        await DisposeAsync(_azurite);
    }

    private static Task<T> Start<T>(Lazy<Task<T>> server)
    {
        Matrix.RequireFull();
        return server.Value;
    }

    private static async Task DisposeAsync<T>(Lazy<Task<T>> server)
        where T : IAsyncDisposable
    {
        // One that did not start has failed, or skipped, the tests that need it.
        if (server is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
        {
            await (await server.Value).DisposeAsync();
        }
    }
}
