using CsCheck;
using Gateway.Archiving.Deflate;

namespace Archiving.Tests.Deflate;

public class HuffmanCodeTests
{
    private static readonly Gen<int[]> Counts = Gen.OneOf(
        Gen.Int[0, 1000].Array[286],
        Gen.Frequency((9, Gen.Const(0)), (1, Gen.Int[1, 100_000])).Array[286],
        Gen.Int[0, 17].Select(exponent => 1 << exponent).Array[286]);

    [Theory]
    [InlineData(15)]
    [InlineData(9)]
    public void Every_code_is_full_and_no_longer_than_its_limit(int limit) =>
        Counts.Sample(counts =>
        {
            var code = Build(counts, limit);
            return code.Lengths.Max() <= limit
                && code.Lengths.Where(length => length > 0).Sum(length => 1 << (limit - length)) == 1 << limit
                && counts.Zip(code.Lengths).All(pair => pair.First == 0 || pair.Second > 0);
        });

    [Fact]
    public void If_the_limit_has_no_effect_no_other_code_is_shorter() =>
        Counts.Sample(counts =>
        {
            var code = Build(counts, 15);
            return code.Lengths.Max() == 15 || code.Cost() == OptimalCost(counts);
        });

    [Fact]
    public void Counts_like_Fibonacci_numbers_reach_the_limit()
    {
        var counts = new int[286];
        for (int i = 0, a = 1, b = 1; i < 24; i++, (a, b) = (b, a + b))
        {
            counts[i] = a;
        }

        var code = Build(counts, 15);

        Assert.Equal(15, code.Lengths.Max());
        Assert.Equal(1 << 15, code.Lengths.Where(length => length > 0).Sum(length => 1 << (15 - length)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void There_are_always_two_codes(int used)
    {
        var counts = new int[30];
        counts.AsSpan(5, used).Fill(7);

        Assert.Equal(2, Build(counts, 15).Lengths.Count(length => length == 1));
    }

    private static HuffmanCode Build(int[] counts, int limit)
    {
        var code = new HuffmanCode(counts.Length, limit);
        counts.CopyTo(code.Counts, 0);
        code.Build();
        return code;
    }

    private static long OptimalCost(int[] counts)
    {
        var queue = new PriorityQueue<long, long>(counts.Where(count => count > 0).Select(count => ((long)count, (long)count)));
        if (queue.Count < 2)
        {
            return counts.Sum(count => (long)count);
        }

        var cost = 0L;
        while (queue.Count > 1)
        {
            var sum = queue.Dequeue() + queue.Dequeue();
            cost += sum;
            queue.Enqueue(sum, sum);
        }

        return cost;
    }
}
