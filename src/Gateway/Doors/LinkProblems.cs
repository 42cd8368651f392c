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
            $"The manifest has more bytes than a link may represent; at most {BundleLink.MaxManifestBytes} before compression."),
        LinkFault.ShareIsFull => new(
            StatusCodes.Status429TooManyRequests, "This client has as many links as it may have (Bundle:Links:MaxBytesPerClient).", FailureReason.LimitReached, retryAfter: e.RetryAfter),
        LinkFault.NoRoom => new(
            StatusCodes.Status503ServiceUnavailable, "There is no room for more links (Bundle:Links:MaxBytes).", FailureReason.NoRoom, retryAfter: e.RetryAfter),
        LinkFault.Away => new(StatusCodes.Status503ServiceUnavailable, "The store of links cannot be reached.", FailureReason.Fault, inner: e),
        _ => new(StatusCodes.Status404NotFound, "There is no such link.", FailureReason.InvalidRequest),
    };
}
