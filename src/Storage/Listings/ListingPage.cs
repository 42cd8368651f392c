namespace Gateway.Storage.Listings;

/// <summary>One page of a listing.</summary>
/// <param name="Objects">In the store's order.</param>
/// <param name="Folders">With a delimiter: the next segment of longer keys, with its slash, after the prefix that was listed.</param>
/// <param name="Next">The store's token for the next page; null: this is the last page.</param>
public sealed record ListingPage(IReadOnlyList<ListedObject> Objects, IReadOnlyList<string> Folders, string? Next);
