namespace Gateway.Storage.Listings;

/// <summary>Carries the request for a page to the handler that can list, and the page back. A request without it is for an object.</summary>
/// <param name="request">The page.</param>
internal sealed class ListingExchange(ListingRequest request)
{
    public static readonly HttpRequestOptionsKey<ListingExchange> Key = new("Gateway.Listing");

    public ListingRequest Request { get; } = request;

    /// <summary>The page; null until it has been read.</summary>
    public ListingPage? Page { get; set; }
}
