using System.Reflection;
using System.Runtime.CompilerServices;
using Xunit;
using Xunit.v3;

namespace Testing;

/// <summary>How long a test may take. If it takes longer, it fails and the stacks of all threads are printed.</summary>
/// <remarks>
/// xunit also counts the creation and the disposal of a test's class, and leaves a hanging test running. What a test has
/// started ends by <see cref="ITestContext.CancellationToken"/>, so that it does not disturb the next one.
/// </remarks>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class TimeLimitAttribute : BeforeAfterTestAttribute
{
    /// <summary>For one test, in milliseconds. A test that needs more sets it in its attribute.</summary>
    public const int OneTest = 180_000;

    private static readonly AsyncLocal<CancellationTokenRegistration> Watch = new();
    private static int _isWatched;

    /// <summary>For a whole assembly: ends what no test's own limit ends, such as a fixture.</summary>
    private static TimeSpan WholeRun => TimeSpan.FromMinutes(20);

    /// <inheritdoc/>
    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        ArgumentNullException.ThrowIfNull(test);
        if (Interlocked.Exchange(ref _isWatched, 1) == 0)
        {
            // A separate thread, because the pool may be what hangs.
            new Thread(EndRun) { IsBackground = true, Name = "time limit" }.Start();
        }

        Watch.Value = TestContext.Current.CancellationToken.UnsafeRegister(name => Stacks.Print($"{name} has not ended in time"), test.TestDisplayName);
    }

    /// <inheritdoc/>
    public override void After(MethodInfo methodUnderTest, IXunitTest test) => Watch.Value.Dispose();

    private static void EndRun()
    {
        Thread.Sleep(WholeRun);
        Stacks.Print($"the tests have not ended after {WholeRun}");
        Environment.FailFast($"The tests have not ended after {WholeRun}.");
    }
}

/// <summary>xunit's attribute with a time limit. Replaces it in every test assembly (<c>Directory.Build.targets</c>).</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FactAttribute : Xunit.FactAttribute
{
    /// <inheritdoc/>
    public FactAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber) => Timeout = TimeLimitAttribute.OneTest;
}

/// <summary>xunit's attribute with a time limit for each row of data, and with fewer rows by default.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer(typeof(ReducedTheoryDiscoverer))]
public sealed class TheoryAttribute : Xunit.TheoryAttribute
{
    /// <inheritdoc/>
    public TheoryAttribute([CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
        : base(sourceFilePath, sourceLineNumber) => Timeout = TimeLimitAttribute.OneTest;
}
