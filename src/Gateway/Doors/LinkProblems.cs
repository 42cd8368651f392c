using Gateway.Links;
using Gateway.Responses;
using Gateway.Storage.Failures;

namespace Gateway.Doors;

/// <summary>The response to a link that cannot be created or used.</summary>
internal static class LinkProblems
{
    public static BundleProblemException From(LinkException e) => e.Fault switch
    {
        LinkFault.Expired => new(StatusCodes.Status410Gone, "The link has expired.", FailureReason.InvalidRequest),
        LinkFault.TooLarge => BundleProblemException.TooLarge(
            $"The manifest is too large for a link; at most {BundleLink.MaxManifestBytes} bytes before compression."),
        LinkFault.ClientQuotaExceeded => new(
            StatusCodes.Status429TooManyRequests, "This client has too many links (Bundle:Links:MaxBytesPerClient).", FailureReason.LimitReached, retryAfter: e.RetryAfter),
        LinkFault.NoRoom => new(
            StatusCodes.Status503ServiceUnavailable, "There is no space for more links (Bundle:Links:MaxBytes).", FailureReason.NoRoom, retryAfter: e.RetryAfter),
        LinkFault.StoreUnavailable => new(StatusCodes.Status503ServiceUnavailable, "The link store is unavailable.", FailureReason.Fault, inner: e),
        _ => new(StatusCodes.Status404NotFound, "The link does not exist.", FailureReason.InvalidRequest),
    };
}
