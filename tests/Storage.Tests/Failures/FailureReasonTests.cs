using System.Reflection;
using Gateway.Storage.Failures;
using Microsoft.Extensions.Logging;

namespace Storage.Tests.Failures;

public class FailureReasonTests
{
    private static readonly (string Field, FailureReason Reason)[] All =
    [
        .. typeof(FailureReason).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.FieldType == typeof(FailureReason))
            .Select(field => (field.Name, (FailureReason)field.GetValue(null)!)),
    ];

    [Fact]
    public void Every_reason_is_named_like_its_field_and_no_name_occurs_twice()
    {
        Assert.True(All.Length > 40);

        Assert.All(All, one => Assert.Equal(one.Field, one.Reason.Name));
        Assert.All(All, one => Assert.Equal(one.Field, one.Reason.ToString()));
        Assert.Equal(All.Length, All.Select(one => one.Reason.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    [Fact]
    public void Every_text_is_one_line_that_ends_with_a_full_stop_except_two() =>
        Assert.All(All, one =>
        {
            // NotFound is part of a line about an entry.
            if (one.Reason == FailureReason.None || one.Reason == FailureReason.NotFound)
            {
                Assert.DoesNotContain('.', one.Reason.Text);
                return;
            }

            Assert.Matches("^[A-Z][ -~]+\\.$", one.Reason.Text);
        });

    [Fact]
    public void No_two_reasons_have_the_same_text() => Assert.Equal(All.Length, All.Select(one => one.Reason.Text).Distinct().Count());

    [Fact]
    public void The_status_fits_the_origin() =>
        Assert.All(All, one => Assert.True(
            one.Reason.Origin switch
            {
                FailureOrigin.None => one.Reason.StatusCode == 200,
                FailureOrigin.Client => one.Reason.StatusCode is >= 400 and < 500,
                FailureOrigin.Gateway => one.Reason.StatusCode is 400 or 500 or 503,
                _ => one.Reason.StatusCode is 404 or 409 or 413 or 502 or 503 or 504,
            },
            one.Field));

    [Fact]
    public void Only_failures_of_storage_are_retried_or_count_against_a_destination() =>
        Assert.All(All.Where(one => one.Reason.Origin != FailureOrigin.Upstream), one => Assert.Equal((RetryScope.None, FailureExtent.None), (one.Reason.Retry, one.Reason.Extent)));

    [Fact]
    public void What_counts_against_a_destination_is_retried() =>
        Assert.All(All.Where(one => one.Reason.Extent != FailureExtent.None), one => Assert.NotEqual(RetryScope.None, one.Reason.Retry));

    [Fact]
    public void An_operator_is_told_of_faults_of_the_gateway_and_of_missing_rights_as_errors() =>
        Assert.Equal(["BucketMissing", "ClockDiffers", "CredentialRejected", "Denied", "Fault", "NoCredential", "WrongRegion"], All.Where(one => one.Reason.Level == LogLevel.Error).Select(one => one.Field).Order());

    [Fact]
    public void What_a_client_does_and_what_succeeds_is_no_warning() =>
        Assert.All(All, one => Assert.Equal(one.Reason.Origin is FailureOrigin.Client or FailureOrigin.None, one.Reason.Level == LogLevel.Information));
}
