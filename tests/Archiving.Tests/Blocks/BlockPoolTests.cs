using Gateway.Archiving.Blocks;
using Microsoft.Extensions.Time.Testing;

namespace Archiving.Tests.Blocks;

public class BlockPoolTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly BlockPool _pool;

    public BlockPoolTests() => _pool = new BlockPool(1024, _time);

    [Fact]
    public void A_block_is_reused()
    {
        var block = _pool.Rent();
        _pool.Return(block);

        Assert.Same(block, _pool.Rent());
        Assert.Equal((1, 1), (_pool.Made, _pool.Rented));
    }

    [Fact]
    public void After_a_peak_the_pool_shrinks_to_what_is_in_use()
    {
        var blocks = Rent(100);
        foreach (var block in blocks[10..])
        {
            _pool.Return(block);
        }

        // The first period includes the peak.
        _time.Advance(BlockPool.Period);
        _pool.Return(_pool.Rent());
        _time.Advance(BlockPool.Period);

        Assert.Equal((11, 10), (_pool.Made, _pool.Rented));
    }

    [Fact]
    public void An_idle_pool_is_empty()
    {
        foreach (var block in Rent(100))
        {
            _pool.Return(block);
        }

        _time.Advance(BlockPool.Period);
        _time.Advance(BlockPool.Period);

        Assert.Equal((0, 0), (_pool.Made, _pool.Rented));
    }

    [Fact]
    public void Blocks_that_are_rented_regularly_are_kept()
    {
        var first = Rent(100);
        for (var i = 0; i < 10; i++)
        {
            foreach (var block in first)
            {
                _pool.Return(block);
            }

            _time.Advance(BlockPool.Period / 2);
            Assert.All(Rent(100), block => Assert.Contains(block, first));
        }

        Assert.Equal((100, 100), (_pool.Made, _pool.Rented));
    }

    private List<byte[]> Rent(int count) => [.. Enumerable.Range(0, count).Select(_ => _pool.Rent())];
}
