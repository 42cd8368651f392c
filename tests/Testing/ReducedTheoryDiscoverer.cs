using Xunit.Sdk;
using Xunit.v3;

namespace Testing;

/// <summary>
/// Which rows of a theory run: in the full matrix all; by default, of the tests with real servers on both sides, one. It differs between theories
/// and is always the same for one theory. Pure classes have unit tests of all their cases.
/// </summary>
public sealed class ReducedTheoryDiscoverer : TheoryDiscoverer
{
    private const string Functional = "FunctionalTests";

    /// <inheritdoc/>
    public override async ValueTask<IReadOnlyCollection<IXunitTestCase>> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions, IXunitTestMethod testMethod, IFactAttribute factAttribute)
    {
        ArgumentNullException.ThrowIfNull(testMethod);
        var cases = await base.Discover(discoveryOptions, testMethod, factAttribute);
        if (Matrix.IsFull || cases.Count <= 1 || !testMethod.TestClass.TestCollection.TestAssembly.AssemblyName.Contains(Functional, StringComparison.Ordinal))
        {
            return cases;
        }

        return [cases.ElementAt(testMethod.MethodName.Sum(letter => letter) % cases.Count)];
    }
}
