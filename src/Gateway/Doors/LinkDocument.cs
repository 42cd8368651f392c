using System.Text.Json.Serialization;

namespace Gateway.Doors;

/// <summary>The JSON response to <c>POST /bundle/links</c>.</summary>
/// <param name="Url">The link, relative to the gateway.</param>
/// <param name="Expires">When it expires.</param>
/// <param name="ETag">The version that it is pinned to.</param>
internal sealed record LinkDocument(
    string Url, DateTimeOffset Expires, [property: JsonPropertyName("etag"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ETag);
