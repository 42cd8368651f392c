namespace Gateway.Requests;

/// <summary>Which names entries may have. Section <c>Bundle:Names</c>.</summary>
internal sealed class NameOptions
{
    /// <summary>
    /// Refuse names that Windows cannot unpack: <c>&lt; &gt; : " | ? *</c>, reserved device names, and segments that end in a dot or a space or exceed
    /// 255 bytes. Names that leave their folder are always refused.
    /// </summary>
    public bool Portable { get; set; } = true;
}
