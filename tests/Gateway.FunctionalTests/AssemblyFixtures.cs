using Testing;

[assembly: AssemblyFixture(typeof(NothingRented))]
