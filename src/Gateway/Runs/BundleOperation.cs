namespace Gateway.Runs;

/// <summary>What a request wants of a bundle.</summary>
internal enum BundleOperation
{
    Archive,

    /// <summary>Only the headers.</summary>
    Head,

    /// <summary>Only what it would hold.</summary>
    Plan,

    /// <summary>Only what a folder contains.</summary>
    List,

    /// <summary>Only a URL for it.</summary>
    Link,
}
