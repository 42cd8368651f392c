namespace Gateway.Storage.Stores.Xml;

/// <summary>What the body of an error response contains that the gateway uses. Both are harmless text, but only the store states them.</summary>
/// <param name="Code">The store's name for the error, such as <c>NoSuchKey</c>: ASCII letters. Null: there is none.</param>
/// <param name="Region">The region of the bucket, if the request was signed for another one.</param>
internal sealed record StoreError(string? Code, string? Region);
