using System.Text.Json;
using Gateway.Responses;
using Gateway.Storage.Failures;

namespace Gateway.Tests.Responses;

public class BundleProblemExceptionTests
{
    private readonly TestHttp _http = new();

    [Fact]
    public void A_reason_has_its_own_text_and_status()
    {
        var problem = BundleProblemException.From(FailureReason.ObjectsDiffer, [new(0, "s/a", "x")]);

        Assert.Equal((409, FailureReason.ObjectsDiffer.Text, FailureReason.ObjectsDiffer), (problem.StatusCode, problem.Message, problem.Reason));
        Assert.Single(problem.Errors);
    }

    [Fact]
    public void A_long_id_is_cut_between_characters() =>
        Assert.Equal(new string('a', 199) + "…", new EntryError(0, new string('a', 199) + "😀b", "x").Id);

    [Fact]
    public void A_wrong_request_and_a_large_one_are_the_client_s_fault()
    {
        var (bad, large) = (BundleProblemException.BadRequest("Bad."), BundleProblemException.TooLarge("Large."));

        Assert.Equal((400, "Bad.", FailureReason.InvalidRequest), (bad.StatusCode, bad.Message, bad.Reason));
        Assert.Equal((413, "Large.", FailureReason.InvalidRequest), (large.StatusCode, large.Message, large.Reason));
        Assert.Empty(bad.Errors);
    }

    [Theory]
    [InlineData(nameof(FailureReason.NotFound), 404, "Some entries cannot be bundled.")]
    [InlineData(nameof(FailureReason.ExpandsTooMuch), 413, "Some entries cannot be bundled.")]
    [InlineData(nameof(FailureReason.Denied), 502, "Storage failed.")]
    [InlineData(nameof(FailureReason.Throttled), 503, "Storage failed.")]
    public void The_first_failure_of_storage_decides_and_every_entry_is_listed(string name, int status, string title)
    {
        var first = new StorageException((FailureReason)typeof(FailureReason).GetField(name)!.GetValue(null)!);

        var problem = BundleProblemException.FromStorage((new(2, "s/a", "x"), first), (new(1, "s/b", "y"), new StorageException(FailureReason.StorageTimeout)));

        Assert.Equal((status, title, first.Reason), (problem.StatusCode, problem.Message, problem.Reason));
        Assert.Equal([new(2, "s/a", "x"), new EntryError(1, "s/b", "y")], problem.Errors);
        Assert.Same(first, problem.InnerException);
    }

    [Theory]
    [InlineData(429, null, "5")]
    [InlineData(503, null, "5")]
    [InlineData(503, 1200, "2")]
    [InlineData(429, 3_600_000, "3600")]
    [InlineData(502, 1200, null)]
    [InlineData(400, 1200, null)]
    public async Task A_client_that_may_try_again_is_told_when_in_whole_seconds(int status, int? milliseconds, string? expected)
    {
        var problem = new BundleProblemException(
            status, "Busy.", FailureReason.NoRoom, retryAfter: milliseconds is { } some ? TimeSpan.FromMilliseconds(some) : null);

        await problem.WriteAsync(_http.Context);

        Assert.Equal(expected ?? "", _http.Response.Headers.RetryAfter.ToString());
        Assert.Equal(status, _http.Response.StatusCode);
    }

    [Fact]
    public async Task A_416_has_the_length_and_a_415_the_accepted_codings()
    {
        await new BundleProblemException(416, "Past.", FailureReason.InvalidRequest) { ArchiveLength = 1000, AcceptEncoding = "gzip, br" }.WriteAsync(_http.Context);

        Assert.Equal(("bytes */1000", "gzip, br"), (_http.Response.Headers.ContentRange.ToString(), _http.Response.Headers.AcceptEncoding.ToString()));
    }

    [Fact]
    public async Task The_document_has_the_title_and_the_entries()
    {
        await BundleProblemException.BadRequest("Bad.", [new(0, "s/a", "is odd")]).WriteAsync(_http.Context);

        var json = JsonDocument.Parse(_http.Body).RootElement;
        Assert.Equal(("Bad.", "is odd"), (json.GetProperty("title").GetString(), json.GetProperty("errors")[0].GetProperty("reason").GetString()));
    }

    [Theory]
    [InlineData(200, 200)]
    [InlineData(201, 201)]
    [InlineData(100_000, 201)]
    public void A_long_id_is_shortened(int length, int expected)
    {
        var error = new EntryError(0, new string('a', length), "x");

        Assert.Equal(expected, error.Id.Length);
        Assert.Equal(length > 200, error.Id.EndsWith('…'));
    }
}
