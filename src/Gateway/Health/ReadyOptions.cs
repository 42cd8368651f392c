namespace Gateway.Health;

/// <summary>What <c>/health/ready</c> depends on. Section <c>Bundle:Ready</c>.</summary>
internal sealed class ReadyOptions
{
    /// <summary>Clusters without which the gateway is not ready. Default none: unavailable storage does not make a gateway unready.</summary>
    public IList<string> RequiredClusters { get; } = [];
}
