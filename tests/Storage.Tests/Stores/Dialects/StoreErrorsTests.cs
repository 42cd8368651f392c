using System.Net;
using Gateway.Storage.Failures;
using Gateway.Storage.Stores.Dialects;
using Gateway.Storage.Stores.Xml;
using Microsoft.Extensions.Time.Testing;

namespace Storage.Tests.Stores.Dialects;

public class StoreErrorsTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly StoreErrors _errors = new("media", new StoreOptions { Kind = StoreKind.S3, Region = "us-east-1" }, new FakeTimeProvider(Now));

    [Theory]
    [InlineData(404, "NoSuchBucket", "BucketMissing", "The bucket of Stores:media does not exist.")]
    [InlineData(404, "ContainerNotFound", "BucketMissing", "The bucket of Stores:media does not exist.")]
    [InlineData(403, "InvalidObjectState", "Archived", "The object is archived and must be restored first.")]
    [InlineData(409, "BlobArchived", "Archived", "The object is archived and must be restored first.")]
    [InlineData(409, "BlobBeingRehydrated", "Archived", "The object is archived and must be restored first.")]
    [InlineData(301, "PermanentRedirect", "Redirected", "Storage sent a redirect, which is not followed.")]
    [InlineData(307, "TemporaryRedirect", "Redirected", "Storage sent a redirect, which is not followed.")]
    [InlineData(302, null, "Redirected", "Storage sent a redirect, which is not followed.")]
    [InlineData(403, "RequestTimeTooSkewed", "ClockDiffers", "This machine's clock differs from the store's.")]
    [InlineData(400, "RequestTimeout", "StorageError", "Storage reports that the request took too long.")]
    [InlineData(401, null, "CredentialRejected", "Storage rejected the gateway's credential.")]
    public void A_code_has_a_reason_and_a_text_of_ours(int status, string? code, string reason, string text)
    {
        var failure = Explain(status, code);

        Assert.Equal((reason, text, status), (failure?.Reason.Name, failure?.Message, failure?.UpstreamStatusCode));
    }

    [Theory]
    [InlineData("ExpiredToken")]
    [InlineData("InvalidToken")]
    [InlineData("TokenRefreshRequired")]
    [InlineData("InvalidAccessKeyId")]
    [InlineData("SignatureDoesNotMatch")]
    [InlineData("InvalidSecurity")]
    [InlineData("AuthenticationFailed")]
    [InlineData("AuthenticationRequired")]
    [InlineData("InvalidAuthenticationInfo")]
    [InlineData("NoAuthenticationInformation")]
    [InlineData("AuthorizationFailure")]
    public void Another_credential_could_be_accepted(string code)
    {
        Assert.True(StoreErrors.IsCredentialRejected(code, 400));

        Assert.Equal(FailureReason.CredentialRejected, Explain(400, code)?.Reason);
    }

    [Theory]
    [InlineData(403, "AccessDenied")]
    [InlineData(403, null)]
    [InlineData(404, "NoSuchKey")]
    [InlineData(404, "BlobNotFound")]
    [InlineData(412, "PreconditionFailed")]
    [InlineData(416, "InvalidRange")]
    [InlineData(500, "InternalError")]
    [InlineData(503, "SlowDown")]
    [InlineData(304, null)]
    [InlineData(403, "expiredtoken")]
    [InlineData(403, "Anything")]
    public void Other_errors_are_explained_by_their_status(int status, string? code)
    {
        Assert.False(StoreErrors.IsCredentialRejected(code, status));

        Assert.Null(Explain(status, code));
    }

    [Theory]
    [InlineData("RequestTimeTooSkewed", -22, "This machine's clock is 22 minutes behind the store's.")]
    [InlineData("RequestTimeTooSkewed", 22, "This machine's clock is 22 minutes ahead of the store's.")]
    [InlineData("AuthenticationFailed", -14, "This machine's clock is 14 minutes behind the store's.")]
    [InlineData("SignatureDoesNotMatch", 60 * 24 * 365, "This machine's clock is 525600 minutes ahead of the store's.")]
    [InlineData("AuthenticationFailed", 13, null)]
    [InlineData("AuthenticationFailed", -13, null)]
    public void A_clock_that_differs_is_named_with_its_minutes_and_direction(string code, int minutes, string? expected)
    {
        var failure = Explain(403, code, date: Now - TimeSpan.FromMinutes(minutes));

        Assert.Equal(expected is null ? (FailureReason.CredentialRejected, FailureReason.CredentialRejected.Text) : (FailureReason.ClockDiffers, expected), (failure!.Reason, failure.Message));
    }

    [Fact]
    public void A_store_without_a_date_reports_only_that_the_clock_differs() =>
        Assert.Equal(FailureReason.ClockDiffers.Text, Explain(403, "RequestTimeTooSkewed", date: Now)!.Message);

    [Theory]
    [InlineData(301, "PermanentRedirect", null, "eu-west-1")]
    [InlineData(301, null, null, "eu-west-1")]
    [InlineData(307, null, null, "eu-west-1")]
    [InlineData(400, "AuthorizationHeaderMalformed", "eu-west-1", null)]
    [InlineData(400, "IllegalLocationConstraintException", "ap-south-1", "eu-west-1")]
    [InlineData(400, "AuthorizationHeaderMalformed", "eu-west-1", "<script>")]
    public void Another_region_is_named_with_the_configured_one(int status, string? code, string? inBody, string? inHeader)
    {
        var failure = Explain(status, code, inBody, inHeader);

        Assert.Equal((FailureReason.WrongRegion, "The bucket is in eu-west-1; Stores:media:Region says us-east-1."), (failure!.Reason, failure.Message));
    }

    [Fact]
    public void A_redirect_within_the_region_is_a_redirect() =>
        Assert.Equal(FailureReason.Redirected, Explain(307, "TemporaryRedirect", "us-east-1", "us-east-1")!.Reason);

    [Fact]
    public void Without_a_configured_region_the_right_one_is_named()
    {
        var errors = new StoreErrors("media", new StoreOptions { Kind = StoreKind.S3 }, TimeProvider.System);
        using var response = new HttpResponseMessage(HttpStatusCode.MovedPermanently);

        var failure = errors.Explain(response, new StoreError(null, "eu-west-1"));

        Assert.Equal("The bucket is in eu-west-1; Stores:media:Region says nothing.", failure!.Message);
    }

    [Fact]
    public void An_archived_object_names_its_class_if_it_is_known()
    {
        Assert.Equal("The object is archived (DEEP_ARCHIVE) and must be restored first.", StoreErrors.Archived("DEEP_ARCHIVE").Message);

        Assert.Equal(409, StoreErrors.Archived(null).Reason.StatusCode);
    }

    private StorageException? Explain(int status, string? code, string? region = null, string? regionHeader = null, DateTimeOffset? date = null)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)status);
        response.Headers.Date = date;
        if (regionHeader is not null)
        {
            response.Headers.TryAddWithoutValidation("x-amz-bucket-region", regionHeader);
        }

        return _errors.Explain(response, code is null && region is null ? null : new StoreError(code, region));
    }
}
