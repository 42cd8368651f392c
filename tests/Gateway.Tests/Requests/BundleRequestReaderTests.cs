using System.Text;
using Gateway.Admission;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Storage.Failures;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Requests;

public sealed class BundleRequestReaderTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestHttp _http = new();
    private readonly BundleMemory _memory = new(Options.Create(new MemoryOptions { MaxBytes = 16 << 20 }), Options.Create(new LimitOptions()));
    private readonly RequestMemory _account;
    private readonly BundleRequestReader _reader;

    public BundleRequestReaderTests()
    {
        _account = _memory.Open("a");
        _reader = new BundleRequestReader(
            Options.Create(new LimitOptions { MaxEntries = 2000 }), Options.Create(new CompressionOptions()), Options.Create(new NameOptions()), _time);
    }

    public void Dispose()
    {
        _account.Dispose();
        _memory.Dispose();
    }

    [Fact]
    public void The_entries_of_a_query_are_paid_for()
    {
        _http.Request.QueryString = new QueryString("?ids=" + string.Join(',', Enumerable.Range(0, 17)));

        var fields = _reader.ReadQuery(_http.Request, _account);

        Assert.Equal(17, fields.Entries.Count);
        Assert.Equal(2 * 16 * 1024, _memory.Leased);
    }

    [Theory]
    [InlineData("application/json", """{"entries":[{"id":"s/a"}]}""")]
    [InlineData("application/x-www-form-urlencoded", "ids=s/a")]
    public async Task A_body_is_a_manifest_or_a_form(string contentType, string body)
    {
        Send(contentType, body);

        var fields = await ReadBodyAsync();

        Assert.Equal("s/a", Assert.Single(fields.Entries).Id);
    }

    [Fact]
    public async Task A_POST_has_no_parameters_in_its_URL()
    {
        Send("application/json", """{"entries":[{"id":"s/a"}]}""");
        _http.Request.QueryString = new QueryString("?format=zip");

        var problem = await Assert.ThrowsAsync<BundleProblemException>(ReadBodyAsync);

        Assert.Equal((400, "A POST takes no parameters in its URL. Put them into the body."), (problem.StatusCode, problem.Message));
    }

    [Fact]
    public async Task A_client_that_holds_too_much_memory_is_a_429()
    {
        using var other = Fill("a");
        Send("application/json", """{"entries":[{"id":"s/a"}]}""");

        var problem = await Assert.ThrowsAsync<BundleProblemException>(ReadBodyAsync);

        Assert.Equal((429, "The requests of this client hold too much memory. Try again later.", FailureReason.LimitReached), (problem.StatusCode, problem.Message, problem.Reason));
    }

    [Fact]
    public async Task Clients_that_together_hold_too_much_memory_are_a_503()
    {
        using var b = Fill("b");
        using var c = Fill("c");
        using var d = Fill("d");
        using var e = Fill("e");
        Send("application/json", """{"entries":[{"id":"s/a"}]}""");

        var problem = await Assert.ThrowsAsync<BundleProblemException>(ReadBodyAsync);

        Assert.Equal((503, "Too many requests are being read. Try again later.", FailureReason.LimitReached), (problem.StatusCode, problem.Message, problem.Reason));
    }

    [Fact]
    public async Task A_body_that_takes_longer_than_a_minute_is_a_408()
    {
        Send("application/json", "");
        _http.Request.Body = new SilentStream();
        var reading = ReadBodyAsync();

        _time.Advance(TimeSpan.FromSeconds(60) - TimeSpan.FromTicks(1));
        Assert.False(reading.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => reading);
        Assert.Equal((408, "The body of the request took longer than 60 s."), (problem.StatusCode, problem.Message));
    }

    [Fact]
    public async Task A_connection_that_breaks_in_the_body_is_a_client_that_has_gone()
    {
        Send("application/json", "");
        _http.Request.Body = new BrokenStream(new IOException("reset"));

        Assert.Equal(FailureReason.ClientGone, (await Assert.ThrowsAsync<ClientException>(ReadBodyAsync)).Reason);
    }

    [Fact]
    public async Task What_the_server_refuses_of_a_body_has_the_server_s_status()
    {
        Send("application/json", "");
        _http.Request.Body = new BrokenStream(new BadHttpRequestException("secret", 408));

        var problem = await Assert.ThrowsAsync<BundleProblemException>(ReadBodyAsync);

        Assert.Equal((408, "The body of the request cannot be read."), (problem.StatusCode, problem.Message));
    }

    [Fact]
    public void The_manifest_of_a_link_is_unpacked_only_when_there_is_memory_for_it()
    {
        using var other = Fill("a");

        var problem = Assert.Throws<BundleProblemException>(() => _reader.ReadManifest(1000, () => throw new InvalidOperationException("unpacked"), _account));

        Assert.Equal(429, problem.StatusCode);
    }

    [Fact]
    public void A_lifetime_and_a_pin_are_for_links_only()
    {
        var (pinned, expiring) = (BundleFields.FromQuery("?ids=s/a&pin=true", 1), BundleFields.FromQuery("?ids=s/a&expiresIn=60", 1));

        Assert.Equal("pin: only allowed for links (POST /bundle/links).", Assert.Throws<BundleProblemException>(() => _reader.Validate(pinned)).Message);
        Assert.Equal("expiresIn: only allowed for links (POST /bundle/links).", Assert.Throws<BundleProblemException>(() => _reader.Validate(expiring)).Message);

        Assert.Equal("s/a", _reader.ValidateLink(pinned).Entries[0].Id);
        Assert.Equal("s/a", _reader.Validate(BundleFields.FromQuery("?ids=s/a", 1)).Entries[0].Id);
    }

    private void Send(string contentType, string body)
    {
        _http.Request.ContentType = contentType;
        _http.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
    }

    private Task<BundleFields> ReadBodyAsync() => _reader.ReadBodyAsync(_http.Context, _account, CancellationToken.None);

    /// <summary>Uses all of a client's share.</summary>
    private RequestMemory Fill(string client)
    {
        var account = _memory.Open(client);
        Assert.Equal(0, account.GrowByEntries(1024));
        return account;
    }

    private sealed class BrokenStream(Exception exception) : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromException<int>(exception);
    }

    private sealed class SilentStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var silence = new TaskCompletionSource<int>();
            await using var registration = cancellationToken.Register(() => silence.TrySetCanceled(cancellationToken));
            return await silence.Task;
        }
    }
}
