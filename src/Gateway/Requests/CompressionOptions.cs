using System.ComponentModel.DataAnnotations;
using Gateway.Archiving;

namespace Gateway.Requests;

/// <summary>How archives are compressed. Section <c>Bundle:Compression</c>.</summary>
internal sealed class CompressionOptions
{
    /// <summary>Default of the request's parameter: <c>fast</c> (default), <c>small</c> or <c>store</c>.</summary>
    [EnumDataType(typeof(Compression))]
    public Compression Default { get; set; } = Compression.Fast;

    /// <summary>
    /// The encoder for <c>fast</c>: <c>managed</c> (default), the same bytes everywhere, or <c>isal</c>, faster, for replicas on
    /// identical machines. A missing library prevents the start.
    /// </summary>
    [EnumDataType(typeof(FastEncoder))]
    public FastEncoder Encoder { get; set; }

    /// <summary>
    /// Blocks of one bundle that are compressed in parallel. Default 0: one for each core. Range 0–256. It affects speed and
    /// memory (two blocks of 128 KiB each), never the bytes.
    /// </summary>
    [Range(0, 256)]
    public int Workers { get; set; }

    /// <summary>The effective number.</summary>
    public int MaxWorkers => Workers > 0 ? Workers : Environment.ProcessorCount;
}
