namespace Gateway.Runs;

/// <summary>What a request wants of a bundle.</summary>
internal enum BundleOperation
{
    Archive,

    /// <summary>Only the headers.</summary>
    Head,

    /// <summary>Only what it would hold.</summary>
    Plan,

    /// <summary>Only an address for it.</summary>
    Link,
}
