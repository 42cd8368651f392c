using System.ComponentModel.DataAnnotations;
using Gateway.Archiving;

namespace Gateway.Requests;

/// <summary>How archives are compressed. Section <c>Bundle:Compression</c>.</summary>
internal sealed class CompressionOptions
{
    /// <summary>The compression of requests that do not specify one.</summary>
    [EnumDataType(typeof(Compression))]
    public Compression Default { get; set; } = Compression.Fast;

    /// <summary>
    /// What compresses <c>fast</c> for <c>tar.gz</c> and <c>zip</c>: <c>managed</c> gives the same bytes on every machine; <c>isal</c>
    /// (<c>libisal.so.2</c>) is faster, for replicas on similar machines. A missing library stops the start.
    /// </summary>
    [EnumDataType(typeof(FastEncoder))]
    public FastEncoder Encoder { get; set; }

    /// <summary>Blocks of one bundle that are compressed at the same time. 0: one for each core.</summary>
    /// <remarks>The number changes speed and memory (two blocks for each worker), but never a byte of the archive.</remarks>
    [Range(0, 256)]
    public int Workers { get; set; }

    /// <summary>The effective number.</summary>
    public int MaxWorkers => Workers > 0 ? Workers : Environment.ProcessorCount;
}
