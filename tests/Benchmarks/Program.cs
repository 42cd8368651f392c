using Benchmarks;
using Benchmarks.Peers;

// One command: starts its own storage, gateway and peers, runs everything interleaved, and writes the medians to docs/benchmarks.md.
// A word chooses a part (ways, latency, stalled, cores, encoders), a number says how many rounds. The other commands are its own servers.
switch (args)
{
    case ["tarwriter", var origin]:
        await TarWriterServer.RunAsync(origin);
        return;
    case ["slow-origin", var root]:
        await SlowOrigin.RunAsync(root);
        return;
}

var rounds = args.Length > 0 && int.TryParse(args[^1], out var number) ? number : 5;
var part = args.FirstOrDefault(argument => !int.TryParse(argument, out _));
(string Name, Func<Task<string>> RunAsync)[] parts =
[
    ("ways", () => WholeWay.RunAsync(rounds)),
    ("cores", () => SecondCore.RunAsync(rounds)),
    ("latency", () => Latency.RunAsync(rounds)),
    ("stalled", StalledClients.RunAsync),
    ("encoders", () => EncoderSpeed.RunAsync(rounds)),
];
foreach (var (name, run) in parts.Where(candidate => part is null || candidate.Name == part))
{
    var table = await run();
    Console.WriteLine(table);
    Report.Write(name, table);
}
