using System.Reflection;
using static Gateway.Storage.Failures.FailureExtent;
using static Gateway.Storage.Failures.RetryScope;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace Gateway.Storage.Failures;

/// <summary>Why a request failed, who is at fault, and what follows from it. Retries, health, logs and responses all use this
/// table.</summary>
/// <param name="Name">Its name in the access log and in metrics.</param>
/// <param name="Origin">Who is at fault.</param>
/// <param name="Text">For the client and the log, if nothing more precise is known. Contains nothing that storage or a client sent.</param>
/// <param name="StatusCode">Status code of the response, if nothing has been sent.</param>
/// <param name="Retry">Where a retry makes sense.</param>
/// <param name="Extent">What it proves about the destination.</param>
/// <param name="Level">Level of the access log line.</param>
public sealed record FailureReason(
    string Name,
    FailureOrigin Origin,
    string Text,
    int StatusCode = Status502BadGateway,
    RetryScope Retry = RetryScope.None,
    FailureExtent Extent = FailureExtent.None,
    LogLevel Level = LogLevel.Warning)
{
    // The text of each reason explains it.
#pragma warning disable CS1591

    // :: Complete
    public static readonly FailureReason None = new(nameof(None), FailureOrigin.None, "", Status200OK, Level: LogLevel.Information);

    // :: The client
    public static readonly FailureReason InvalidRequest = OfClient(nameof(InvalidRequest), "The request is invalid.", Status400BadRequest);
    public static readonly FailureReason ConditionFailed = OfClient(nameof(ConditionFailed), "A condition of the request is not met.", Status412PreconditionFailed);
    public static readonly FailureReason NotAuthorized = OfClient(nameof(NotAuthorized), "The client may not read this.", Status403Forbidden);
    public static readonly FailureReason LimitReached = OfClient(nameof(LimitReached), "Too many requests.", Status429TooManyRequests);
    public static readonly FailureReason ObjectsDiffer = OfClient(nameof(ObjectsDiffer), "Some objects differ from the manifest.", Status409Conflict);
    public static readonly FailureReason ObjectsMissing = OfClient(nameof(ObjectsMissing), "Some objects are missing.", Status404NotFound);
    public static readonly FailureReason ClientGone = OfClient(nameof(ClientGone), "The client disconnected.", Status499ClientClosedRequest);
    public static readonly FailureReason ClientStalled = OfClient(nameof(ClientStalled), "The client stopped reading.", Status408RequestTimeout);

    // :: The gateway
    public static readonly FailureReason Draining = new(nameof(Draining), FailureOrigin.Gateway, "This replica is shutting down.", Status503ServiceUnavailable);
    public static readonly FailureReason EndedByOperator = new(nameof(EndedByOperator), FailureOrigin.Gateway, "An operator has ended this request.", Status503ServiceUnavailable);
    public static readonly FailureReason NoRoom = new(nameof(NoRoom), FailureOrigin.Gateway, "The gateway has no capacity left.", Status503ServiceUnavailable);
    public static readonly FailureReason Fault = new(nameof(Fault), FailureOrigin.Gateway, "The gateway failed.", Status500InternalServerError, Level: LogLevel.Error);

    // :: Storage: connecting
    public static readonly FailureReason NameNotFound = OfStorage(nameof(NameNotFound), "The host name of storage was not found.", Status502BadGateway, OtherDestination, Destination);
    public static readonly FailureReason CertificateNotTrusted = OfStorage(nameof(CertificateNotTrusted), "The certificate of storage is not trusted.", Status502BadGateway, OtherDestination, Destination);
    public static readonly FailureReason TlsFailed = OfStorage(nameof(TlsFailed), "TLS to storage failed.", Status502BadGateway, OtherDestination, Destination);
    public static readonly FailureReason ConnectionRefused = OfStorage(nameof(ConnectionRefused), "Storage refused the connection.", Status502BadGateway, AnyDestination, Destination);
    public static readonly FailureReason Unreachable = OfStorage(nameof(Unreachable), "Storage cannot be reached.", Status502BadGateway, AnyDestination, Destination);
    public static readonly FailureReason ConnectTimeout = OfStorage(nameof(ConnectTimeout), "Storage did not accept the connection in time.", Status504GatewayTimeout, OtherDestination, Destination);
    public static readonly FailureReason NoDestination = OfStorage(nameof(NoDestination), "No destination of the source is available.", Status503ServiceUnavailable, AnyDestination);
    public static readonly FailureReason CircuitOpen = OfStorage(nameof(CircuitOpen), "The destination has failed too often within the last seconds.", Status502BadGateway, AnyDestination);

    // :: Storage: response headers
    public static readonly FailureReason ResponseTimeout = OfStorage(nameof(ResponseTimeout), "Storage did not respond in time.", Status504GatewayTimeout, OtherDestination, FailureExtent.SingleObject);
    public static readonly FailureReason ConnectionBroken = OfStorage(nameof(ConnectionBroken), "Storage broke the connection before its response.", Status502BadGateway, AnyDestination, FailureExtent.SingleObject);
    public static readonly FailureReason VersionNotSupported = OfStorage(nameof(VersionNotSupported), "Storage does not support the configured HTTP version.", retry: OtherDestination);
    public static readonly FailureReason InvalidResponse = OfStorage(nameof(InvalidResponse), "Storage sent a response that is not valid HTTP.");
    public static readonly FailureReason HeadersTooLarge = OfStorage(nameof(HeadersTooLarge), "Storage sent response headers that are larger than the gateway accepts, by default 64 KiB.");
    public static readonly FailureReason OutsidePrefix = OfStorage(nameof(OutsidePrefix), "The URL leaves the source's prefix.");
    public static readonly FailureReason KeyNotKept = new(nameof(KeyNotKept), FailureOrigin.Gateway, "The route does not send the key unchanged.", Status400BadRequest);
    public static readonly FailureReason RouteResponded = OfStorage(nameof(RouteResponded), "The route responded instead of storage.");
    public static readonly FailureReason PipelineFailed = OfStorage(nameof(PipelineFailed), "The route's pipeline failed.");

    // :: Storage: status
    public static readonly FailureReason NotFound = OfStorage(nameof(NotFound), "no such object", Status404NotFound);
    public static readonly FailureReason Denied = OfStorage(nameof(Denied), "Storage does not permit the gateway to read.") with { Level = LogLevel.Error };
    public static readonly FailureReason Redirected = OfStorage(nameof(Redirected), "Storage sent a redirect, which is not followed.");
    public static readonly FailureReason Throttled = OfStorage(nameof(Throttled), "Storage is overloaded.", Status503ServiceUnavailable, AnyDestination);
    public static readonly FailureReason StorageTimeout = OfStorage(nameof(StorageTimeout), "Storage returned 504.", Status504GatewayTimeout, AnyDestination, FailureExtent.SingleObject);
    public static readonly FailureReason StorageError = OfStorage(nameof(StorageError), "Storage failed.", Status502BadGateway, AnyDestination, FailureExtent.SingleObject);
    public static readonly FailureReason Archived = OfStorage(nameof(Archived), "The object is archived and must be restored first.", Status409Conflict);
    public static readonly FailureReason NoCredential = OfStorage(nameof(NoCredential), "The gateway has no credential for storage.") with { Level = LogLevel.Error };
    public static readonly FailureReason CredentialRejected = OfStorage(nameof(CredentialRejected), "Storage rejected the gateway's credential.") with { Level = LogLevel.Error };
    public static readonly FailureReason ClockDiffers = OfStorage(nameof(ClockDiffers), "This machine's clock differs from the store's.") with { Level = LogLevel.Error };
    public static readonly FailureReason WrongRegion = OfStorage(nameof(WrongRegion), "The bucket is in another region than configured.") with { Level = LogLevel.Error };
    public static readonly FailureReason BucketMissing = OfStorage(nameof(BucketMissing), "The bucket does not exist.") with { Level = LogLevel.Error };
    public static readonly FailureReason InvalidListing = OfStorage(nameof(InvalidListing), "Storage sent a listing that cannot be read.");
    public static readonly FailureReason UnexpectedStatus = OfStorage(nameof(UnexpectedStatus), "Storage returned an unexpected status.");

    // :: Storage: what it reports about the object
    public static readonly FailureReason Encoded = OfStorage(nameof(Encoded), "Storage encoded this response although the request did not permit it. An object that is stored encoded has a Content-Length and a strong ETag.");
    public static readonly FailureReason DecodingFailed = OfStorage(nameof(DecodingFailed), "The object does not match its Content-Encoding and cannot be decoded.");
    public static readonly FailureReason ExpandsTooMuch = OfStorage(nameof(ExpandsTooMuch), "The object decodes to too many bytes.", Status413PayloadTooLarge);
    public static readonly FailureReason InvalidLength = OfStorage(nameof(InvalidLength), "Storage sent a Content-Length that is not a length (RFC 9110, section 8.6), or is more than 1 PiB.");
    public static readonly FailureReason LengthUnknown = OfStorage(nameof(LengthUnknown), "Storage does not state the length of the object.");
    public static readonly FailureReason SizeDiffers = OfStorage(nameof(SizeDiffers), "The object's length differs from the declared length.", retry: OtherDestination);
    public static readonly FailureReason ObjectChanged = OfStorage(nameof(ObjectChanged), "The object changed while it was read.", retry: OtherDestination);
    public static readonly FailureReason ChecksumDiffers = OfStorage(nameof(ChecksumDiffers), "The object's checksum differs from the declared checksum.", retry: AnyDestination);
    public static readonly FailureReason RangesNotServed = OfStorage(nameof(RangesNotServed), "Storage does not serve ranges.");
    public static readonly FailureReason VersionUnknown = OfStorage(nameof(VersionUnknown), "Storage sent a response without a strong ETag, so its version is not known.", retry: OtherDestination);
    public static readonly FailureReason WrongRange = OfStorage(nameof(WrongRange), "Storage sent a range that was not requested.");
    public static readonly FailureReason ArchiveChanged = OfStorage(nameof(ArchiveChanged), "The archive differs from an earlier one: an object has changed but its validator has not.");

    // :: Storage: body
    public static readonly FailureReason BodyBroken = OfStorage(nameof(BodyBroken), "Storage broke off within the object.", Status502BadGateway, AnyDestination, FailureExtent.SingleObject);
    public static readonly FailureReason BodyStalled = OfStorage(nameof(BodyStalled), "Storage stopped sending.", Status504GatewayTimeout, AnyDestination, FailureExtent.SingleObject);
    public static readonly FailureReason BodySlow = OfStorage(nameof(BodySlow), "Storage sent too slowly.", Status504GatewayTimeout, AnyDestination, FailureExtent.SingleObject);

#pragma warning restore CS1591

    /// <summary>All reasons.</summary>
    public static IReadOnlyList<FailureReason> All { get; } =
        [.. typeof(FailureReason).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => field.GetValue(null)).OfType<FailureReason>()];

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static FailureReason OfClient(string name, string text, int status) => new(name, FailureOrigin.Client, text, status, Level: LogLevel.Information);

    private static FailureReason OfStorage(
        string name, string text, int status = Status502BadGateway, RetryScope retry = RetryScope.None, FailureExtent extent = FailureExtent.None) =>
        new(name, FailureOrigin.Upstream, text, status, retry, extent);
}
