namespace Gateway.Storage.Listings;

/// <summary>A request for one page of a listing. The prefix is the path of the request that carries it.</summary>
/// <param name="IsOneLevel">Whether longer keys are grouped by their next segment; otherwise every key under the prefix is listed.</param>
/// <param name="PageSize">Objects and folders at most; a store may return fewer.</param>
/// <param name="Token">The previous page's <see cref="ListingPage.Next"/>; null: the first page.</param>
public sealed record ListingRequest(bool IsOneLevel, int PageSize, string? Token)
{
    /// <summary>Bytes of one page at most.</summary>
    public const int MaxPageBytes = 8 * 1024 * 1024;
}
