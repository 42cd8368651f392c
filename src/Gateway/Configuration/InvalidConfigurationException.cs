namespace Gateway.Configuration;

/// <summary>The process cannot serve with this configuration.</summary>
/// <param name="faults">One line for each error.</param>
/// <param name="inner">The exception from building the host, if any.</param>
internal sealed class InvalidConfigurationException(IReadOnlyList<string> faults, Exception? inner = null)
    : Exception(string.Join(Environment.NewLine, faults), inner)
{
    public IReadOnlyList<string> Faults { get; } = faults;
}
