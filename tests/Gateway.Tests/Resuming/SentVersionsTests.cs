using Gateway.Resuming;

namespace Gateway.Tests.Resuming;

public sealed class SentVersionsTests
{
    private static readonly DateTimeOffset Date = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly SentVersions _versions = new();

    [Fact]
    public void A_version_that_was_never_sent_is_not_the_only_one() => Assert.False(_versions.IsOnlyVersion("r", Date, "\"1\""));

    [Fact]
    public void The_only_version_with_a_date_is_recognized_however_often_it_was_sent()
    {
        _versions.Add("r", Date, "\"1\"");
        _versions.Add("r", Date, "\"1\"");

        Assert.True(_versions.IsOnlyVersion("r", Date.AddMilliseconds(999), "\"1\""));
        Assert.False(_versions.IsOnlyVersion("r", Date, "\"2\""));
        Assert.False(_versions.IsOnlyVersion("r", Date.AddSeconds(1), "\"1\""));
        Assert.False(_versions.IsOnlyVersion("other", Date, "\"1\""));
    }

    [Fact]
    public void Of_two_versions_with_one_date_neither_is_the_only_one_ever_again()
    {
        _versions.Add("r", Date, "\"1\"");
        _versions.Add("r", Date, "\"2\"");
        _versions.Add("r", Date, "\"1\"");

        Assert.False(_versions.IsOnlyVersion("r", Date, "\"1\""));
        Assert.False(_versions.IsOnlyVersion("r", Date, "\"2\""));
    }

    [Fact]
    public void A_version_beyond_the_limit_is_not_evidence_and_known_versions_stay()
    {
        _versions.Add("first", Date, "\"1\"");
        _versions.Add("several", Date, "\"1\"");
        for (var i = 0; i < 20_000; i++)
        {
            _versions.Add($"{i}", Date, "\"1\"");
        }

        _versions.Add("several", Date, "\"2\"");
        Assert.InRange(Enumerable.Range(0, 20_000).Count(i => _versions.IsOnlyVersion($"{i}", Date, "\"1\"")), 1, 10_000);
        Assert.True(_versions.IsOnlyVersion("first", Date, "\"1\""));
        Assert.False(_versions.IsOnlyVersion("several", Date, "\"2\""));
    }
}
