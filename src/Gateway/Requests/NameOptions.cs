namespace Gateway.Requests;

/// <summary>Rules for entry names. Section <c>Bundle:Names</c>.</summary>
internal sealed class NameOptions
{
    /// <summary>
    /// Reject names that Windows cannot unpack: <c>&lt; &gt; : " | ? *</c>, reserved device names, segments that end in a dot or
    /// a space or are longer than 255 bytes. Default true. Names that lead out of a folder are always rejected.
    /// </summary>
    public bool Portable { get; set; } = true;
}
