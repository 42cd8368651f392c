using Gateway.Storage.Failures;

namespace Storage.Tests.Failures;

public class StorageExceptionTests
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(7);

    [Fact]
    public void Without_a_detail_the_message_is_the_reason_s_text()
    {
        var failure = new StorageException(FailureReason.BodyBroken);

        Assert.Equal(FailureReason.BodyBroken.Text, failure.Message);
        Assert.Equal(RetryScope.AnyDestination, failure.Retry);
        Assert.Null(failure.RetryAfter);
    }

    [Fact]
    public void Only_the_first_attempt_that_is_noted_counts()
    {
        var failure = new StorageException(FailureReason.StorageError);

        failure.Note(null, null);
        failure.Note("first", 500);
        failure.Note("second", 502);

        Assert.Equal(("first", 500), (failure.Destination, failure.UpstreamStatusCode));
    }

    [Fact]
    public void An_additional_sentence_changes_only_the_message()
    {
        var failure = Create();

        var longer = failure.With("It was tried twice.");

        Assert.Equal("Slow. It was tried twice.", longer.Message);
        Assert.Equal(RetryScope.AnyDestination, longer.Retry);
        AssertSameFailure(failure, longer);
    }

    [Fact]
    public void A_final_failure_differs_only_in_that_it_is_not_retried()
    {
        var failure = Create();

        var final = failure.AsFinal();

        Assert.Equal("Slow.", final.Message);
        Assert.Equal(RetryScope.None, final.Retry);
        AssertSameFailure(failure, final);
    }

    private static StorageException Create()
    {
        var failure = new StorageException(FailureReason.Throttled, "Slow.", Wait, new TimeoutException()) { LogDetail = "detail" };
        failure.Note("d1", 503);
        return failure;
    }

    private static void AssertSameFailure(StorageException expected, StorageException actual)
    {
        Assert.Equal(
            (expected.Reason, expected.RetryAfter, expected.LogDetail, expected.Destination, expected.UpstreamStatusCode),
            (actual.Reason, actual.RetryAfter, actual.LogDetail, actual.Destination, actual.UpstreamStatusCode));
        Assert.Same(expected.InnerException, actual.InnerException);
    }
}
