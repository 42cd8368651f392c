using System.Globalization;
using System.Net;
using Reliability;

// Shows what a single request cannot. Each command exits with 0 if the requirements are met: docs/reliability.md.
if (args is not [var command, .. var rest] || command is not ("cuts" or "swaps" or "transients" or "departures" or "overload" or "soak" or "chaos"))
{
    Console.Error.WriteLine("dotnet run -c Release --project tests/Reliability (cuts | swaps | transients | departures | overload | soak | chaos) [number; seconds of overload, minutes of soak and chaos] [seed]");
    return 2;
}

var count = rest is [var number, ..] ? int.Parse(number, CultureInfo.InvariantCulture) : command switch { "cuts" => 20_000, "departures" => 500, "overload" => 20, "soak" or "chaos" => 10, _ => 10_000 };
var seed = rest is [_, var text] ? int.Parse(text, CultureInfo.InvariantCulture) : Random.Shared.Next();
Console.WriteLine($"{count} {command}, seed {seed}");
switch (command)
{
    case "cuts":
        var cuts = await Cuts.RunAsync(count, seed);
        Console.WriteLine(cuts.ToTable());
        foreach (var lie in cuts.Rows.SelectMany(row => row.Undetected))
        {
            Console.WriteLine(lie);
        }

        Console.WriteLine($"{cuts.Faults} faults delivered, {cuts.Undetected} taken for whole, {cuts.WholeBytes} cut downloads hold a whole archive");
        return cuts.Undetected + cuts.WholeBytes == 0 ? 0 : 1;
    case "swaps":
        var swaps = await Swaps.RunAsync(count, seed);
        Console.WriteLine(swaps);
        return swaps.Mixed == 0 ? 0 : 1;
    case "departures":
        var departures = await Departures.RunAsync(count, seed);
        Console.WriteLine($"storage was left {departures}");
        return departures.Percentile(0.99) <= 100 ? 0 : 1;
    case "overload":
        var holds = true;
        foreach (var status in new[] { HttpStatusCode.ServiceUnavailable, HttpStatusCode.TooManyRequests })
        {
            var overload = await Overload.RunAsync(TimeSpan.FromSeconds(count), status);
            Console.WriteLine($"{(int)status}: {overload}");
            holds &= overload.Holds;
        }

        return holds ? 0 : 1;
    case "soak":
        await using (var soak = await Soak.StartAsync())
        {
            return await soak.RunAsync(TimeSpan.FromMinutes(count), seed) ? 0 : 1;
        }

    case "chaos":
        await using (var chaos = await Chaos.StartAsync(seed))
        {
            return await chaos.RunAsync(TimeSpan.FromMinutes(count), seed) ? 0 : 1;
        }

    default:
        var (whole, faults) = await Transients.RunAsync(count, seed);
        Console.WriteLine($"{faults} faults delivered, {whole} bundles whole");
        return whole >= count * 0.9999 ? 0 : 1;
}
