using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage.Failures;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Runs;

public class BundleRecordTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly BundleRecord _record;

    public BundleRecordTests() => _record = new BundleRecord(_time);

    [Fact]
    public void A_run_that_did_not_fail_has_no_error()
    {
        _time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal((FailureReason.None, null, null, null), (_record.Reason, _record.Error, _record.Exception, _record.StorageFailure));
        Assert.Equal(TimeSpan.FromSeconds(3), _record.Elapsed);
    }

    [Fact]
    public void A_failure_of_storage_is_recorded_with_what_only_the_log_may_contain()
    {
        var cause = new IOException("connection");
        var failure = new StorageException(FailureReason.BodyBroken, "Broken.", inner: cause) { LogDetail = "detail" };

        _record.Fail(failure, clientGone: new(canceled: true), drained: new(canceled: true));

        Assert.Equal((FailureReason.BodyBroken, "Broken. detail"), (_record.Reason, _record.Error));
        Assert.Same(failure, _record.StorageFailure);
        Assert.Same(cause, _record.Exception);
    }

    [Fact]
    public void A_problem_that_storage_caused_is_recorded_as_the_failure_of_storage_with_its_first_entry()
    {
        var failure = new StorageException(FailureReason.NotFound, "Gone.");

        _record.Fail(BundleProblemException.FromStorage((new(7, "s/g", "x"), failure), (new(9, "s/h", "y"), new StorageException(FailureReason.Denied))), clientGone: default, drained: default);

        Assert.Equal((FailureReason.NotFound, "Gone.", 7, "s/g"), (_record.Reason, _record.Error, _record.EntryIndex, _record.BadId));
        Assert.Same(failure, _record.StorageFailure);
    }

    [Fact]
    public void A_request_that_is_wrong_is_the_client_s_and_needs_no_stack()
    {
        _record.Fail(BundleProblemException.BadRequest("Bad."), clientGone: default, drained: default);

        Assert.Equal((FailureReason.InvalidRequest, "Bad.", null, null), (_record.Reason, _record.Error, _record.Exception, _record.EntryIndex));
    }

    [Fact]
    public void A_client_that_stops_reading_is_recorded_as_such()
    {
        _record.Fail(new ClientException(FailureReason.ClientStalled), clientGone: new(canceled: true), drained: default);

        Assert.Equal((FailureReason.ClientStalled, "The client stopped reading.", null), (_record.Reason, _record.Error, _record.Exception));
    }

    [Theory]
    [InlineData(false, true, nameof(FailureReason.Draining))]
    [InlineData(true, true, nameof(FailureReason.Draining))]
    [InlineData(true, false, nameof(FailureReason.ClientGone))]
    [InlineData(false, false, nameof(FailureReason.Fault))]
    public void A_cancellation_is_due_to_draining_or_to_the_client(bool clientGone, bool drained, string expected)
    {
        _record.Fail(new OperationCanceledException(), new(clientGone), new(drained));

        Assert.Equal(expected, _record.Reason.Name);
    }

    [Theory]
    [InlineData(true, nameof(FailureReason.ClientGone), false)]
    [InlineData(false, nameof(FailureReason.Fault), true)]
    public void Any_other_exception_is_a_fault_unless_the_client_has_gone(bool clientGone, string expected, bool hasException)
    {
        var bug = new InvalidOperationException("bug");

        _record.Fail(bug, new(clientGone), drained: new(canceled: true));

        Assert.Equal((expected, "bug"), (_record.Reason.Name, _record.Error));
        Assert.Equal(hasException ? bug : null, _record.Exception);
    }

    [Fact]
    public async Task Waits_for_storage_add_up_whether_they_succeed_or_not()
    {
        var source = new TaskCompletionSource<int>();
        var first = _record.WaitForUpstreamAsync(source.Task);
        _time.Advance(TimeSpan.FromSeconds(2));
        source.SetResult(42);
        Assert.Equal(42, await first);

        source = new TaskCompletionSource<int>();
        var second = _record.WaitForUpstreamAsync(source.Task);
        _time.Advance(TimeSpan.FromSeconds(3));
        source.SetException(new StorageException(FailureReason.BodyStalled));
        await Assert.ThrowsAsync<StorageException>(() => second);
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(TimeSpan.FromSeconds(5), _record.UpstreamWaited);
    }
}
