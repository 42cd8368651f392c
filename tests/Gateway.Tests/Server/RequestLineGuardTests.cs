using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Gateway.Server;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Tests.Server;

public sealed class RequestLineGuardTests : IAsyncDisposable
{
    private readonly Pipe _fromClient = new();
    private readonly Pipe _toClient = new();
    private readonly DefaultConnectionContext _connection = new();

    public RequestLineGuardTests() => _connection.Transport = new Transport(_fromClient.Reader, _toClient.Writer);

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    [Theory]
    [InlineData("GET /bundle?ids=s/a HTTP/1.1\r\n")]
    [InlineData("GET /bundle?ids=s/%C3%BC HTTP/1.1\r\nX-Name: grüße\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nü")]
    [InlineData("\u0016\u0003\u0001ü")]
    [InlineData("ü")]
    public async Task Any_other_connection_reaches_the_server_with_all_its_bytes(string sent)
    {
        await _fromClient.Writer.WriteAsync(Encoding.UTF8.GetBytes(sent));

        var received = await ServeAsync();

        Assert.Equal(sent, received);
    }

    [Theory]
    [InlineData("GET /bundle?ids=s/grüße HTTP/1.1\r\n")]
    [InlineData("GET /bundle?ids=s/grü")]
    public async Task A_request_line_that_is_not_ASCII_is_answered_with_what_to_do(string sent)
    {
        await _fromClient.Writer.WriteAsync(Encoding.UTF8.GetBytes(sent));

        var received = await ServeAsync();

        Assert.Null(received);
        var response = Encoding.UTF8.GetString((await _toClient.Reader.ReadAsync()).Buffer.ToArray());
        var (head, body) = (response.Split("\r\n\r\n")[0], response.Split("\r\n\r\n")[1]);
        Assert.StartsWith("HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n", head, StringComparison.Ordinal);
        Assert.Contains($"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n", head, StringComparison.Ordinal);
        Assert.Contains("The request line has characters that are not ASCII.", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_breaks_at_once_is_left_to_the_server()
    {
        var reset = new IOException("reset");
        await _fromClient.Writer.CompleteAsync(reset);

        Assert.Same(reset, await Assert.ThrowsAsync<IOException>(ServeAsync));
    }

    /// <returns>What the server reads; null if it gets no connection.</returns>
    private async Task<string?> ServeAsync()
    {
        string? received = null;
        await RequestLineGuard.Guard(async connection =>
        {
            var read = await connection.Transport.Input.ReadAsync();
            received = Encoding.UTF8.GetString(read.Buffer.ToArray());
        })(_connection);
        return received;
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
