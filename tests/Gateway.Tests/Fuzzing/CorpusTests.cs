using Fuzz;

namespace Gateway.Tests.Fuzzing;

/// <summary>A short version of <c>tests/Fuzz</c>: all inputs of the corpus, and some mutations.</summary>
public class CorpusTests
{
    private const int Mutations = 3000;

    public static TheoryData<string> Targets => new(FuzzTarget.All.Keys);

    [Theory]
    [MemberData(nameof(Targets))]
    public void Inputs_known_to_break_parsers_violate_no_requirement(string target)
    {
        var corpus = Corpus.Of(target).ToArray();
        Assert.NotEmpty(corpus);

        Assert.All(corpus, input => Assert.Null(FuzzTarget.All[target].FaultOf(input)));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Random_mutations_violate_no_requirement(string target)
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
    public void A_violated_requirement_is_a_finding()
    {
        var target = new FuzzTarget("x", _ => FuzzTarget.Require(false, "this holds"));

        Assert.Contains("this holds", target.FaultOf([]), StringComparison.Ordinal);
    }
}
