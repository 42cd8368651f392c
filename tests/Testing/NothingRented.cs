using Gateway.Archiving;
using Gateway.Archiving.Encoders;

namespace Testing;

/// <summary>Looks, when all tests of an assembly have ended, whether the archives gave every block of memory back, whatever had become of them.</summary>
public sealed class NothingRented : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        var pools = (from format in Enum.GetValues<ArchiveFormat>() from compression in Enum.GetValues<Compression>() select EncoderCatalogue.Get(new ArchiveRecipe(format, compression)).Blocks).Distinct().ToArray();
        await Eventually.TrueAsync(() => pools.All(pool => pool.Rented == 0), $"no block is rented any more: {string.Join(' ', pools.Select(pool => pool.Rented))}");
    }
}
