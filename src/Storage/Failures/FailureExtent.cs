namespace Gateway.Storage.Failures;

/// <summary>What a failed attempt proves about its destination, for the circuit breaker and for YARP's passive health checks.</summary>
public enum FailureExtent
{
    /// <summary>Nothing: the destination works.</summary>
    None,

    /// <summary>Something is wrong with the object; many such failures of different objects mean that the destination is broken.</summary>
    SingleObject,

    /// <summary>The destination cannot be reached.</summary>
    Destination,
}
