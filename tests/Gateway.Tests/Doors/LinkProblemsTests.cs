using Gateway.Doors;
using Gateway.Links;
using Gateway.Storage.Failures;

namespace Gateway.Tests.Doors;

public class LinkProblemsTests
{
    [Theory]
    [InlineData(nameof(LinkFault.Unknown), 404, nameof(FailureReason.InvalidRequest), "The link does not exist.")]
    [InlineData(nameof(LinkFault.Expired), 410, nameof(FailureReason.InvalidRequest), "The link has expired.")]
    [InlineData(nameof(LinkFault.TooLarge), 413, nameof(FailureReason.InvalidRequest), "The manifest is too large for a link; at most 8388608 bytes before compression.")]
    [InlineData(nameof(LinkFault.ClientQuotaExceeded), 429, nameof(FailureReason.LimitReached), "This client has too many links (Bundle:Links:MaxBytesPerClient).")]
    [InlineData(nameof(LinkFault.NoRoom), 503, nameof(FailureReason.NoRoom), "There is no space for more links (Bundle:Links:MaxBytes).")]
    [InlineData(nameof(LinkFault.StoreUnavailable), 503, nameof(FailureReason.Fault), "The link store is unavailable.")]
    public void Every_fault_of_a_link_has_its_response(string fault, int status, string reason, string message)
    {
        var problem = LinkProblems.From(new LinkException(Enum.Parse<LinkFault>(fault)));

        Assert.Equal((status, reason, message), (problem.StatusCode, problem.Reason.Name, problem.Message));
    }

    [Theory]
    [InlineData(nameof(LinkFault.ClientQuotaExceeded))]
    [InlineData(nameof(LinkFault.NoRoom))]
    public async Task A_client_is_told_when_there_may_be_space_again(string fault)
    {
        var http = new TestHttp();

        await LinkProblems.From(new LinkException(Enum.Parse<LinkFault>(fault)) { RetryAfter = TimeSpan.FromSeconds(90) }).WriteAsync(http.Context);

        Assert.Equal("90", http.Response.Headers.RetryAfter);
    }

    [Fact]
    public void An_unavailable_store_is_logged_with_its_cause()
    {
        var exception = new LinkException(LinkFault.StoreUnavailable, new IOException("down"));

        Assert.Same(exception, LinkProblems.From(exception).InnerException);
    }
}
