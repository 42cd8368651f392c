using Microsoft.Net.Http.Headers;

namespace Gateway.Storage.Http;

/// <summary>Validators that identify one version of an object (RFC 9110, section 8.8.3).</summary>
public static class EntityTag
{
    private const int MaxLength = 256;

    /// <summary>A validator that is strong, and not the asterisk, which matches any. Non-ASCII values are rejected, because they could not
    /// be sent back unchanged.</summary>
    /// <returns>Null if the text is not such a validator.</returns>
    public static string? Strong(string text) =>
        EntityTagHeaderValue.TryParse(text.TrimEnd(' ', '\t'), out var tag)
        && tag is { IsWeak: false, Tag: { Length: <= MaxLength, Value: ['"', .. var inner, '"'] } }
        && inner.All(c => c is '!' or (>= '#' and <= '~')) ? tag.Tag.Value : null;

    /// <summary>The same for a listing, where stores write it with or without its quotes.</summary>
    public static string? StrongOfListing(string text) =>
        text.Length == 0 || text.StartsWith("W/", StringComparison.OrdinalIgnoreCase) ? null : Strong(text.Contains('"', StringComparison.Ordinal) ? text : $"\"{text}\"");
}
