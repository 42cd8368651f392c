using Gateway.Storage.Http;

namespace Gateway.Streaming;

/// <summary>Which bytes of an archive are sent.</summary>
/// <param name="Range">The range; null: the whole archive.</param>
/// <param name="Length">The archive's length, where it is known.</param>
internal sealed record ByteSelection(ByteRange? Range, long? Length)
{
    /// <summary>Bytes that are sent, where that is known.</summary>
    public long? Count => Range is { } range ? range.End - range.From : Length;

    /// <summary>Where in the archive the last byte that is sent ends, where that is known.</summary>
    public long? End => Range is { } range ? range.End : Length;
}
