using Gateway.Archiving;
using Gateway.Archiving.Encoders;

namespace Testing;

/// <summary>Verifies, after all tests of an assembly, that the archives have returned every block of memory, whatever their outcome.</summary>
public sealed class PoolLeakCheck : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        var pools = (from format in Enum.GetValues<ArchiveFormat>() from compression in Enum.GetValues<Compression>() select EncoderCatalogue.Get(new ArchiveRecipe(format, compression)).Blocks).Distinct().ToArray();
        await Eventually.TrueAsync(() => pools.All(pool => pool.Rented == 0), "no block is rented any more", describe: () => string.Join(' ', pools.Select(pool => pool.Rented)));
    }
}
