using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Testing;

/// <summary>A page in Prometheus' text format, as a scraper reads it.</summary>
internal sealed partial class PrometheusText
{
    private readonly List<(string Name, Dictionary<string, string> Labels, double Value)> _samples = [];

    private PrometheusText(string text) => Text = text;

    /// <summary>The page.</summary>
    public string Text { get; }

    /// <summary>Names of all samples.</summary>
    public IEnumerable<string> Names => _samples.Select(sample => sample.Name).Distinct();

    /// <summary>The labels of all samples with their values.</summary>
    public IEnumerable<(string Name, IReadOnlyDictionary<string, string> Labels)> Labels => _samples.Select(sample => (sample.Name, (IReadOnlyDictionary<string, string>)sample.Labels));

    /// <summary>Reads the page of a management listener.</summary>
    public static async Task<PrometheusText> GetAsync(HttpClient client, Uri address)
    {
        var page = new PrometheusText(await client.GetStringAsync(new Uri(address, "/metrics")));
        foreach (var line in page.Text.Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
        {
            var match = Sample().Match(line);
            Assert.True(match.Success, line);
            var labels = Label().Matches(match.Groups[2].Value).ToDictionary(label => label.Groups[1].Value, label => label.Groups[2].Value);
            page._samples.Add((match.Groups[1].Value, labels, double.Parse(match.Groups[3].Value.Replace("+Inf", "Infinity", StringComparison.Ordinal), CultureInfo.InvariantCulture)));
        }

        return page;
    }

    /// <summary>The sum of the samples that have these labels, of which there must be one at least.</summary>
    public double Sum(string name, params (string Name, string Value)[] labels)
    {
        var found = _samples.Where(sample => sample.Name == name && labels.All(label => sample.Labels.GetValueOrDefault(label.Name) == label.Value)).ToArray();
        Assert.True(found.Length > 0, $"no sample {name}{{{string.Join(", ", labels)}}} in\n{Text}");
        return found.Sum(sample => sample.Value);
    }

    [GeneratedRegex(@"^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$")]
    private static partial Regex Sample();

    [GeneratedRegex("""(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)""")]
    private static partial Regex Label();
}
