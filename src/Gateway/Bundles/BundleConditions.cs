using Gateway.Plans;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;

namespace Gateway.Bundles;

/// <summary>The conditions of a request for a bundle: those in its headers, and that of a pinned link.</summary>
internal static class BundleConditions
{
    /// <summary>Whether the headers have a condition that may end the request before an archive is made.</summary>
    public static bool ArePresent(HttpRequest request) => request.Headers is var headers
        && (headers.IfMatch.Count > 0 || headers.IfUnmodifiedSince.Count > 0 || headers.IfNoneMatch.Count > 0 || headers.IfModifiedSince.Count > 0);

    /// <summary>Evaluates them.</summary>
    /// <param name="request">The client's request.</param>
    /// <param name="plan">The version that there is.</param>
    /// <param name="versions">The versions that were sent; null when that is not known.</param>
    /// <returns>Never <see cref="PreconditionResult.Failed"/>.</returns>
    /// <exception cref="BundleProblemException">412.</exception>
    public static PreconditionResult Require(HttpRequest request, BundlePlan plan, SentVersions? versions)
    {
        var pinned = plan.Request.PinnedETag;
        if (pinned is not null && plan.ETag != pinned)
        {
            throw Failed("The objects have changed since the link was made, and the link is pinned to the version of that time. Make a new link.");
        }

        var version = new SelectedVersion(plan.ETag, plan.Modified, () => pinned is not null || IsOnlyVersion(plan, versions) ? DateEvidence.Equal : DateEvidence.None);
        var result = Preconditions.Evaluate(request.Method, name => request.Headers[name], version);
        return result != PreconditionResult.Failed ? result : throw Failed(
            "A condition of the request does not hold (If-Match, If-None-Match, If-Unmodified-Since): the bundle is another version, or for If-None-Match this one.");
    }

    /// <summary>Remembers that a version is sent.</summary>
    public static void NoteSent(BundlePlan plan, SentVersions? versions)
    {
        if (versions is not null && plan is { ETag: { } etag, Modified: { } modified })
        {
            versions.Add(BundleHash.OfRequest(plan), modified, etag);
        }
    }

    private static bool IsOnlyVersion(BundlePlan plan, SentVersions? versions) =>
        versions is not null && plan is { ETag: { } etag, Modified: { } modified } && versions.IsOnlyVersion(BundleHash.OfRequest(plan), modified, etag);

    private static BundleProblemException Failed(string title) => new(StatusCodes.Status412PreconditionFailed, title, FailureReason.ConditionFailed);
}
