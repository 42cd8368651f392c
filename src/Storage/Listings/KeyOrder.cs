namespace Gateway.Storage.Listings;

/// <summary>The order of keys: by their UTF-8 bytes, as S3 lists them. An ordinal comparison of strings differs above U+FFFF.</summary>
public sealed class KeyOrder : IComparer<string>
{
    private const char FirstSurrogate = '\uD800';
    private const char FirstAfterSurrogates = '\uE000';

    private KeyOrder()
    {
    }

    /// <summary>The only instance.</summary>
    public static KeyOrder Instance { get; } = new();

    /// <inheritdoc/>
    public int Compare(string? x, string? y)
    {
        var one = x.AsSpan();
        var other = y.AsSpan();
        var common = one.CommonPrefixLength(other);
        return common == one.Length || common == other.Length ? one.Length - other.Length : GetRank(one[common]) - GetRank(other[common]);
    }

    /// <summary>Surrogates stand for characters after all others.</summary>
    private static int GetRank(char c) => c >= FirstSurrogate && c < FirstAfterSurrogates ? c + char.MaxValue : c;
}
