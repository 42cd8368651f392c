namespace Gateway.Storage.Failures;

/// <summary>What a failed attempt says about its destination, for the circuit breaker and for YARP's passive health.</summary>
public enum FailureExtent
{
    /// <summary>Nothing: the destination works.</summary>
    None,

    /// <summary>Something is wrong with the object; many such failures over different objects mean that the destination is broken.</summary>
    SingleObject,

    /// <summary>The destination cannot be reached.</summary>
    Destination,
}
