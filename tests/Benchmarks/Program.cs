using Benchmarks;

// One command: starts its own storage and gateway, runs everything interleaved, prints medians.
// `encoders` measures the block encoders alone; a number says how many rounds.
var rounds = args.Length > 0 && int.TryParse(args[^1], out var number) ? number : 5;
if (args is ["encoders", ..])
{
    Console.WriteLine(await EncoderSpeed.RunAsync(rounds));
    return;
}

await using var bench = await WholeWay.StartAsync();
var report = await bench.RunAsync(rounds);
Console.WriteLine(report);
