namespace Gateway.Health;

/// <summary>What <c>/health/ready</c> depends on. Section <c>Bundle:Ready</c>.</summary>
internal sealed class ReadyOptions
{
    /// <summary>
    /// Clusters that need a healthy destination; otherwise <c>/health/ready</c> returns 503. They need YARP's active or passive health checks. By default
    /// unavailable storage does not make the gateway unready.
    /// </summary>
    public IList<string> RequiredClusters { get; } = [];
}
