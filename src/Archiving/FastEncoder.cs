namespace Gateway.Archiving;

/// <summary>The encoder for <see cref="Compression.Fast"/>. Encoders produce different bytes, so each one makes different archives.</summary>
public enum FastEncoder
{
    /// <summary>Our own, the default: no native library, the same bytes on every processor, operating system and runtime.</summary>
    Managed,

    /// <summary>
    /// ISA-L (<c>libisal.so.2</c>, Linux on x64 and arm64), faster. Its bytes may depend on the processor, so use it only with
    /// replicas on identical machines.
    /// </summary>
    Isal,
}
