using System.Globalization;
using Gateway.Storage.Failures;
using Gateway.Storage.Stores.Xml;

namespace Gateway.Storage.Stores.Dialects;

/// <summary>What the error codes of stores mean. Only codes from this list influence a response or the log; nothing else of an error body does.</summary>
/// <param name="cluster">The store's section, for messages.</param>
/// <param name="options">The store's section.</param>
/// <param name="time">The clock.</param>
internal sealed class StoreErrors(string cluster, StoreOptions options, TimeProvider time)
{
    // AWS accepts 15 minutes. A shorter difference is not the cause.
    private static readonly TimeSpan AllowedSkew = TimeSpan.FromMinutes(14);

    private static readonly string[] Rejections =
    [
        "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity", "AuthenticationFailed", "AuthenticationRequired",
        "InvalidAuthenticationInfo", "NoAuthenticationInformation", "AuthorizationFailure",
    ];

    /// <summary>Whether a code means that another credential could be accepted. Google sends 401 without a code.</summary>
    public static bool IsCredentialRejected(string? code, int status) => Rejections.Contains(code) || status == StatusCodes.Status401Unauthorized;

    /// <summary>Explains an error.</summary>
    /// <param name="response">The error.</param>
    /// <param name="error">What its body contains.</param>
    /// <returns>Null if the status alone explains it.</returns>
    public StorageException? Explain(HttpResponseMessage response, StoreError? error)
    {
        var status = (int)response.StatusCode;
        var failure = error?.Code switch
        {
            "NoSuchBucket" or "ContainerNotFound" => new(FailureReason.BucketMissing, $"The bucket of Stores:{cluster} does not exist."),
            "InvalidObjectState" or "BlobArchived" or "BlobBeingRehydrated" => Archived(null),
            "AuthorizationHeaderMalformed" or "PermanentRedirect" or "TemporaryRedirect" or "IllegalLocationConstraintException" => WrongRegion(response, error.Region),
            "RequestTimeTooSkewed" => Clock(response) ?? new(FailureReason.ClockDiffers),
            "RequestTimeout" => new(FailureReason.StorageError, "Storage reports that the request took too long."),
            var code when IsCredentialRejected(code, status) => Clock(response) ?? new(FailureReason.CredentialRejected),
            _ when status is >= 300 and < 400 and not StatusCodes.Status304NotModified => WrongRegion(response, error?.Region),
            _ => null,
        };
        failure?.Note(null, status);
        return failure;
    }

    /// <summary>An object that must be restored before it can be read.</summary>
    /// <param name="archiveClass">Its class; null if it is not known.</param>
    public static StorageException Archived(string? archiveClass) =>
        new(FailureReason.Archived, archiveClass is null ? null : $"The object is archived ({archiveClass}) and must be restored first.");

    private StorageException? Clock(HttpResponseMessage response)
    {
        if (response.Headers.Date is not { } theirs || time.GetUtcNow() - theirs is var difference && difference.Duration() < AllowedSkew)
        {
            return null;
        }

        var minutes = Math.Round(difference.Duration().TotalMinutes).ToString(CultureInfo.InvariantCulture);
        return new(FailureReason.ClockDiffers, $"This machine's clock is {minutes} minutes {(difference > TimeSpan.Zero ? "ahead of" : "behind")} the store's.");
    }

    private StorageException WrongRegion(HttpResponseMessage response, string? region)
    {
        region = response.Headers.NonValidated.TryGetValues("x-amz-bucket-region", out var values) && StoreErrorReader.FindRegion(values.ToString()) is { } found ? found : region;
        return region is not null && region != options.Region
            ? new(FailureReason.WrongRegion, $"The bucket is in {region}; Stores:{cluster}:Region says {options.Region ?? "nothing"}.")
            : new((int)response.StatusCode < StatusCodes.Status400BadRequest ? FailureReason.Redirected : FailureReason.WrongRegion);
    }
}
