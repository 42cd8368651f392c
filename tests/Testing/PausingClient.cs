using System.Net.Sockets;

namespace Testing;

/// <summary>An HTTP client with a small receive buffer, which reads the body when the test requests it.</summary>
internal sealed class PausingClient : IAsyncDisposable
{
    private readonly HttpClient _client;
    private readonly Stream _body;

    private PausingClient(HttpClient client, HttpResponseMessage response, Stream body)
    {
        _client = client;
        _body = body;
        Response = response;
    }

    public HttpResponseMessage Response { get; }

    public static Task<PausingClient> OpenAsync(Uri address, string url, int receiveBuffer = 16 * 1024) => OpenAsync(Protocol.Http1, address, url, receiveBuffer);

    public static Task<PausingClient> OpenAsync(GatewayUnderTest gateway, Protocol protocol, string url) => OpenAsync(protocol, gateway.AddressOf(protocol), url);

    public static async Task<PausingClient> OpenAsync(Protocol protocol, Uri address, string url, int receiveBuffer = 16 * 1024)
    {
        var client = protocol.CreateClient(address, new SocketsHttpHandler
        {
            MaxResponseDrainSize = 0,
            ConnectCallback = async (context, token) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = receiveBuffer, NoDelay = true };
                await socket.ConnectAsync(context.DnsEndPoint, token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        client.Timeout = Timeout.InfiniteTimeSpan;
        try
        {
            var response = await client.GetAsync(url, HttpCompletionOption.ResponseHeadersRead);
            return new PausingClient(client, response, await response.Content.ReadAsStreamAsync());
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Reads so many bytes, or all there are.</summary>
    public async Task TakeAsync(int bytes) => await _body.ReadAtLeastAsync(new byte[bytes], bytes, throwOnEndOfStream: false);

    /// <summary>Reads all there is, and calls back after each step.</summary>
    public async Task<Download> TakeRestAsync(Func<long, Task>? afterEach = null, int step = 64 * 1024)
    {
        using var bytes = new MemoryStream();
        var buffer = new byte[step];
        try
        {
            while (await _body.ReadAsync(buffer) is > 0 and var count)
            {
                bytes.Write(buffer, 0, count);
                if (afterEach is not null)
                {
                    await afterEach(bytes.Length);
                }
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            return new Download(Response, bytes.ToArray(), e);
        }

        return new Download(Response, bytes.ToArray(), null);
    }

    public async ValueTask DisposeAsync()
    {
        await _body.DisposeAsync();
        Response.Dispose();
        _client.Dispose();
    }
}
