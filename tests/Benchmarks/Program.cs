using Benchmarks;
using Benchmarks.Peers;

// One command: starts its own storage, gateway and peers, runs everything interleaved, and writes the medians to docs/benchmarks.md.
// Arguments select parts (ways, cores, latency, stalled, huge, stores, resume, encoders, micro), a number
// at the end is the number of rounds. "path" prints what runs for one request instead. The other commands are internal servers.
switch (args)
{
    case ["path"]:
        await RequestPath.RunAsync(Console.Out);
        return;
    case ["tarwriter", var origin]:
        await TarWriterServer.RunAsync(origin);
        return;
    case ["slow-origin", var root]:
        await SlowOrigin.RunAsync(root);
        return;
}

var rounds = args.Length > 0 && int.TryParse(args[^1], out var number) ? number : 5;
var chosen = args.Where(argument => !int.TryParse(argument, out _)).ToList();
(string Name, Func<Task<string>> RunAsync)[] parts =
[
    ("ways", () => WholeWay.RunAsync(rounds)),
    ("cores", () => SecondCore.RunAsync(rounds)),
    ("latency", () => Latency.RunAsync(rounds)),
    ("stalled", () => StalledClients.RunAsync(rounds)),
    ("huge", HugeObject.RunAsync),
    ("stores", () => ObjectStores.RunAsync(rounds)),
    ("resume", () => Resuming.RunAsync(rounds)),
    ("encoders", () => EncoderSpeed.RunAsync(rounds)),
    ("micro", () => Task.FromResult(Micro.Run())),
];
foreach (var (name, run) in parts.Where(part => chosen.Count == 0 || chosen.Contains(part.Name)))
{
    var table = await run();
    Console.WriteLine(table);
    Report.Write(name, table);
}
