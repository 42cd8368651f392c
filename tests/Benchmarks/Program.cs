using Benchmarks;

// One command: starts its own storage and gateway, runs everything interleaved, prints medians.
var rounds = args is [var text] && int.TryParse(text, out var number) ? number : 5;
await using var bench = await WholeWay.StartAsync();
var report = await bench.RunAsync(rounds);
Console.WriteLine(report);
