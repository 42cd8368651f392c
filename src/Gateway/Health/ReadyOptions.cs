namespace Gateway.Health;

/// <summary>What <c>/health/ready</c> depends on. Section <c>Bundle:Ready</c>.</summary>
internal sealed class ReadyOptions
{
    /// <summary>Clusters without which the gateway wants no traffic. Default none: storage that is down makes no gateway unready.</summary>
    public IList<string> RequiredClusters { get; } = [];
}
