using System.Diagnostics;
using System.Globalization;
using Fuzz;

// Searches for inputs that violate requirements: docs/reliability.md. Exits with 0 if nothing was found.
const string Inside = "inside";

var names = FuzzTarget.All.Keys.Order(StringComparer.Ordinal).ToArray();
if (args is [Inside, var one, var time, var start])
{
    return Fuzzer.Run(FuzzTarget.All[one], TimeSpan.FromSeconds(Number(time)), (int)Number(start));
}

if (args is not [var wanted, .. var rest] || (wanted != "all" && !names.Contains(wanted)))
{
    Console.Error.WriteLine($"dotnet run -c Release --project tests/Fuzz (all | {string.Join(" | ", names)}) [minutes for each] [seed]");
    return 2;
}

var minutes = rest is [var number, ..] ? Number(number) : 1;
var seed = rest is [_, var text] ? (int)Number(text) : Random.Shared.Next();
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{minutes} minutes each, seed {seed}"));
var folder = Instrumented.Copy(AppContext.BaseDirectory);
try
{
    var findings = 0;
    foreach (var name in wanted == "all" ? names : [wanted])
    {
        using var process = Process.Start(
            "dotnet", [Path.Combine(folder.FullName, "Fuzz.dll"), Inside, name, (minutes * 60).ToString(CultureInfo.InvariantCulture), seed.ToString(CultureInfo.InvariantCulture)]);
        process.WaitForExit();
        findings += process.ExitCode;
    }

    return findings == 0 ? 0 : 1;
}
finally
{
    folder.Delete(recursive: true);
}

static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
