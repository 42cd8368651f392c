namespace Gateway.Storage.Failures;

/// <summary>Where a failed attempt may be retried.</summary>
public enum RetryScope
{
    /// <summary>Nowhere: the response is final.</summary>
    None,

    /// <summary>On a destination that has not been tried: the same one would fail again.</summary>
    OtherDestination,

    /// <summary>On any destination.</summary>
    AnyDestination,
}
