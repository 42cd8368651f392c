namespace Gateway.Telemetry;

/// <summary>The ids of all log events of the product. Operators may filter by them, so an id never changes its meaning. The name of an event is that of its constant.</summary>
internal static class LogEvents
{
    /// <summary>A request for a bundle, a plan or a link has ended: the access log.</summary>
    public const int Bundle = 1;

    /// <summary>Redis cannot be reached.</summary>
    public const int RedisUnavailable = 2;

    /// <summary>Redis can be reached again.</summary>
    public const int RedisAvailable = 3;

    /// <summary>A checkpoint does not belong to the archive.</summary>
    public const int CheckpointRefused = 4;

    /// <summary>Checkpoints could not be published.</summary>
    public const int PublishFailed = 5;

    /// <summary>A task failed, and nothing awaited it.</summary>
    public const int Unobserved = 6;

    /// <summary>A proxy is not listed in Proxies.</summary>
    public const int UnknownProxy = 7;

    /// <summary>A connection was closed, but its requests have not ended.</summary>
    public const int LostConnection = 8;

    /// <summary>A changed configuration file cannot be read.</summary>
    public const int ConfigurationNotRead = 9;

    /// <summary>Redis is configured, but there are no keys that sign its entries.</summary>
    public const int RedisUnused = 10;

    /// <summary>A certificate was renewed.</summary>
    public const int CertificateRenewed = 11;

    /// <summary>A changed certificate cannot be read.</summary>
    public const int CertificateNotRead = 12;

    /// <summary>The process has begun to drain.</summary>
    public const int Draining = 13;

    /// <summary>Bundles were aborted because draining took too long.</summary>
    public const int DrainTimedOut = 14;

    /// <summary>The sources at the start.</summary>
    public const int Sources = 15;

    /// <summary>The default recipe at the start.</summary>
    public const int Archives = 16;

    /// <summary>A command to try at the start.</summary>
    public const int Try = 17;

    /// <summary>A store cannot be used: its credential, region, bucket or this machine's clock is wrong.</summary>
    public const int StoreFailed = 18;

    /// <summary>A store responds at the start.</summary>
    public const int StoreResponds = 19;

    /// <summary>A store does not respond at the start.</summary>
    public const int StoreUnavailable = 20;

    /// <summary>A changed configuration is in effect.</summary>
    public const int ConfigurationApplied = 21;

    /// <summary>A changed configuration is not valid.</summary>
    public const int ConfigurationRefused = 22;
}
