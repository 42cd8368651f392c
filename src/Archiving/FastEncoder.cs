namespace Gateway.Archiving;

/// <summary>Who compresses with <see cref="Compression.Fast"/>. Encoders differ in bytes, so each makes other archives.</summary>
public enum FastEncoder
{
    /// <summary>Our own: no native library, the same bytes on every processor, operating system and runtime. The default.</summary>
    Managed,

    /// <summary>
    /// ISA-L (<c>libisal.so.2</c>, Linux on x64 and arm64), faster. Its bytes may depend on the processor: for replicas on
    /// machines that are alike.
    /// </summary>
    Isal,
}
