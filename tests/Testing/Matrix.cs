using Xunit;

namespace Testing;

/// <summary>How much of what can be combined is combined: by default what covers every value, in CI everything.</summary>
internal static class Matrix
{
    private const string Variable = "GATEWAY_TEST_MATRIX";

    /// <summary>Whether <c>GATEWAY_TEST_MATRIX=full</c> is set.</summary>
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable(Variable) == "full";

    /// <summary>Leaves a test out by default, visibly: it is counted as skipped. In the full matrix it runs.</summary>
    /// <param name="unless">One of several cases that is enough by default.</param>
    public static void RequireFull(bool unless = false) => Assert.SkipUnless(IsFull || unless, $"takes long: runs with {Variable}=full, as in CI");

    /// <summary>The first number in the full matrix, otherwise the second.</summary>
    public static T Of<T>(T full, T reduced) => IsFull ? full : reduced;
}
