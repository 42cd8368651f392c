namespace Gateway.Storage;

/// <summary>The process cannot serve with this configuration.</summary>
/// <param name="faults">One line for each error.</param>
/// <param name="inner">The exception from building the host, if any.</param>
public sealed class InvalidConfigurationException(IReadOnlyList<string> faults, Exception? inner = null)
    : Exception(string.Join(Environment.NewLine, faults), inner)
{
    /// <summary>One line for each fault.</summary>
    public IReadOnlyList<string> Faults { get; } = faults;
}
