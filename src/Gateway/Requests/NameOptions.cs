namespace Gateway.Requests;

/// <summary>Which names entries may have. Section <c>Bundle:Names</c>.</summary>
internal sealed class NameOptions
{
    /// <summary>
    /// Refuse names that Windows cannot unpack: <c>&lt; &gt; : " | ? *</c>, reserved device names, segments that end in a dot or
    /// a blank or are longer than 255 bytes. Default true. Names that lead out of a folder are refused whatever this says.
    /// </summary>
    public bool Portable { get; set; } = true;
}
