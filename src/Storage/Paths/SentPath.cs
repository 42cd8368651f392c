namespace Gateway.Storage.Paths;

/// <summary>The path of a request to storage, after the route's transforms.</summary>
internal static class SentPath
{
    /// <summary>What stands in front of a key, decoded, with the slash at its end.</summary>
    /// <param name="sent">The URL that is sent.</param>
    /// <param name="key">The key that it is for.</param>
    /// <returns>Null when the path, decoded once, does not end in a slash and exactly this key.</returns>
    public static string? FindPrefix(Uri sent, string key)
    {
        var path = Uri.UnescapeDataString(sent.AbsolutePath);
        return path.EndsWith(key, StringComparison.Ordinal) && path[..^key.Length] is [.., '/'] prefix ? prefix : null;
    }
}
