using Testing;

[assembly: AssemblyFixture(typeof(PoolLeakCheck))]
