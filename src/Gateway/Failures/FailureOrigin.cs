namespace Gateway.Failures;

/// <summary>Who is at fault for how a request ended.</summary>
internal enum FailureOrigin
{
    /// <summary>There is no fault: the response is complete.</summary>
    None,
    Client,
    Upstream,
    Gateway,
}
