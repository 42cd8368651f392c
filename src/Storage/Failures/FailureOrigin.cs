namespace Gateway.Storage.Failures;

/// <summary>Who is at fault for how a request ended.</summary>
public enum FailureOrigin
{
    /// <summary>There is no fault: the response is complete.</summary>
    None,
    /// <summary>The client.</summary>
    Client,
    /// <summary>Storage.</summary>
    Upstream,
    /// <summary>The gateway.</summary>
    Gateway,
}
