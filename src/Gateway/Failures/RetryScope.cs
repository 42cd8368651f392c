namespace Gateway.Failures;

/// <summary>Where a failed attempt may be retried.</summary>
internal enum RetryScope
{
    /// <summary>Nowhere: the response is final.</summary>
    None,

    /// <summary>On a destination that has not been tried: the same one would fail again.</summary>
    OtherDestination,

    /// <summary>On any destination.</summary>
    AnyDestination,
}
