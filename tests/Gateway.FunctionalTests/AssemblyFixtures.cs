using Testing;

[assembly: AssemblyFixture(typeof(PoolLeakCheck))]
[assembly: AssemblyFixture(typeof(SharedStores))]
