using Fuzz;

namespace Gateway.Tests.Fuzzing;

/// <summary>What <c>tests/Fuzz</c> looks for, a little of it: all inputs of the corpus, and some that are made of them.</summary>
public class CorpusTests
{
    private const int Mutations = 3000;

    public static TheoryData<string> Targets => new(FuzzTarget.All.Keys);

    [Theory]
    [MemberData(nameof(Targets))]
    public void Everything_that_is_known_to_break_parsers_breaks_no_promise(string target)
    {
        var corpus = Corpus.Of(target).ToArray();
        Assert.NotEmpty(corpus);

        Assert.All(corpus, input => Assert.Null(FuzzTarget.All[target].FaultOf(input)));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Nor_does_what_is_made_of_it_at_random(string target)
    {
        var (random, corpus) = (new Random(20261125), Corpus.Of(target).ToArray());
        for (var i = 0; i < Mutations; i++)
        {
            var input = Mutator.Mutate(random, corpus, maxLength: 1000);

            var fault = FuzzTarget.All[target].FaultOf(input);
            Assert.True(fault is null, $"{Corpus.ToLine(input)}\n{fault}");
        }
    }

    [Fact]
    public void A_finding_is_a_line_of_the_corpus() =>
        Assert.All(Enumerable.Range(0, 256).Select(b => new byte[] { (byte)b, (byte)'x', (byte)b, (byte)' ' }), input => Assert.Equal(input, Corpus.Parse(Corpus.ToLine(input))));

    [Fact]
    public void A_broken_promise_is_a_finding()
    {
        var target = new FuzzTarget("x", _ => FuzzTarget.Require(false, "this holds"));

        Assert.Contains("this holds", target.FaultOf([]), StringComparison.Ordinal);
    }
}
