using Xunit;

namespace Testing;

/// <summary>How many combinations of values are tested: by default enough to cover every value, in CI all.</summary>
internal static class Matrix
{
    private const string Variable = "GATEWAY_TEST_MATRIX";

    /// <summary>Whether <c>GATEWAY_TEST_MATRIX=full</c> is set.</summary>
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable(Variable) == "full";

    /// <summary>Skips a test by default, visibly: it is counted as skipped. It runs in the full matrix.</summary>
    /// <param name="unless">The one of several cases that is enough by default.</param>
    public static void RequireFull(bool unless = false) => Assert.SkipUnless(IsFull || unless, $"takes long: runs with {Variable}=full, as in CI");

    /// <summary>The first number in the full matrix, otherwise the second.</summary>
    public static T Of<T>(T full, T reduced) => IsFull ? full : reduced;
}
