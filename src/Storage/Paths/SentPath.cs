namespace Gateway.Storage.Paths;

/// <summary>The path of a request to storage, after the route's transforms.</summary>
internal static class SentPath
{
    /// <summary>The decoded path before a key, including its trailing slash.</summary>
    /// <param name="sent">The URL that is sent.</param>
    /// <param name="key">The requested key.</param>
    /// <returns>Null if the path, decoded once, does not end in a slash and exactly this key.</returns>
    public static string? FindPrefix(Uri sent, string key)
    {
        var path = Uri.UnescapeDataString(sent.AbsolutePath);
        return path.EndsWith(key, StringComparison.Ordinal) && path[..^key.Length] is [.., '/'] prefix ? prefix : null;
    }
}
