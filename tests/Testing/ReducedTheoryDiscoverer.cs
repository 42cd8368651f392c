using Xunit.Sdk;
using Xunit.v3;

namespace Testing;

/// <summary>
/// Which rows of a theory run: in the full matrix all; by default, of the tests with real servers on both sides, a few of each theory. They
/// differ between theories and are always the same for one theory. Pure classes have unit tests of all their cases.
/// </summary>
public sealed class ReducedTheoryDiscoverer : TheoryDiscoverer
{
    private const int Reduced = 2;
    private const string Functional = "FunctionalTests";

    /// <inheritdoc/>
    public override async ValueTask<IReadOnlyCollection<IXunitTestCase>> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions, IXunitTestMethod testMethod, IFactAttribute factAttribute)
    {
        ArgumentNullException.ThrowIfNull(testMethod);
        var cases = await base.Discover(discoveryOptions, testMethod, factAttribute);
        if (Matrix.IsFull || cases.Count <= Reduced || !testMethod.TestClass.TestCollection.TestAssembly.AssemblyName.Contains(Functional, StringComparison.Ordinal))
        {
            return cases;
        }

        var first = testMethod.MethodName.Sum(letter => letter);
        return [.. Enumerable.Range(0, Reduced).Select(i => cases.ElementAt((first + (i * cases.Count / Reduced)) % cases.Count))];
    }
}
