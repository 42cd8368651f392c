using Gateway.Storage.Failures;

namespace Gateway.Storage.Stores.Xml;

/// <summary>Why a listing cannot be used. The texts contain nothing that the store sent.</summary>
internal static class ListingFailures
{
    /// <summary>It is not XML that a listing can be.</summary>
    public static StorageException NotXml() => Invalid("is not valid XML, or repeats what must occur once");

    /// <summary>It breaks a rule.</summary>
    /// <param name="fault">What the listing does.</param>
    public static StorageException Invalid(string fault) => new(FailureReason.InvalidListing, $"Storage sent a listing that {fault}.");

    /// <summary>A 200 can contain an error, because the store sends its status before it knows the result.</summary>
    public static StorageException From(StoreError error) => error.Code switch
    {
        "SlowDown" or "ServiceUnavailable" or "ServerBusy" => new(FailureReason.Throttled, "Storage returned an overload error instead of a listing."),
        "InternalError" or "OperationTimedOut" => new(FailureReason.StorageError, "Storage returned an internal error instead of a listing."),
        _ => new(FailureReason.InvalidListing, "Storage returned an error instead of a listing."),
    };
}
