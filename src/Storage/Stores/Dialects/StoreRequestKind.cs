namespace Gateway.Storage.Stores.Dialects;

/// <summary>What a request to a store is for.</summary>
internal enum StoreRequestKind
{
    /// <summary>A client reads one object through the proxy.</summary>
    Direct,

    /// <summary>The response becomes an entry of an archive.</summary>
    Entry,

    /// <summary>A page of a listing.</summary>
    Listing,
}
