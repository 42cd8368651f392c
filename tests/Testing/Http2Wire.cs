using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Testing;

/// <summary>A frame (RFC 9113, section 4.1).</summary>
internal sealed record Http2Frame(Http2FrameType Type, byte Flags, int Stream, byte[] Payload);

internal enum Http2FrameType
{
    Data = 0,
    Headers = 1,
    ResetStream = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
    Continuation = 9,
}

/// <summary>HTTP/2 in cleartext, frame by frame: for requests that no client library would send.</summary>
internal sealed class Http2Wire : IAsyncDisposable
{
    public const byte EndStream = 0x1;
    public const byte EndHeaders = 0x4;

    private const int HeaderLength = 9;

    private readonly TcpClient _client = new();
    private NetworkStream _stream = null!;

    public static async Task<Http2Wire> ConnectAsync(Uri address)
    {
        var wire = new Http2Wire();
        await wire._client.ConnectAsync(address.Host, address.Port);
        wire._stream = wire._client.GetStream();
        await wire._stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
        await wire.SendAsync(Http2FrameType.Settings, 0, 0, []);
        return wire;
    }

    /// <summary>The header block of a request, as literals without indexing (RFC 7541, section 6.2.2).</summary>
    public static byte[] Request(string method, string path, params (string Name, string Value)[] headers)
    {
        var block = new List<byte>();
        foreach (var (name, value) in new[] { (":method", method), (":scheme", "http"), (":path", path), (":authority", "x") }.Concat(headers))
        {
            block.Add(0);
            Add(name);
            Add(value);
        }

        return [.. block];

        void Add(string text)
        {
            // Seven bits of length, then further ones seven at a time (RFC 7541, section 5.1).
            var length = text.Length;
            block.Add((byte)Math.Min(length, 127));
            for (length -= 127; length >= 0; length = length >= 128 ? length >> 7 : -1)
            {
                block.Add((byte)(length >= 128 ? (length & 127) | 128 : length));
            }

            block.AddRange(Encoding.ASCII.GetBytes(text));
        }
    }

    public async Task SendAsync(Http2FrameType type, byte flags, int stream, byte[] payload)
    {
        var frame = new byte[HeaderLength + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8 | (int)type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, HeaderLength);
        await _stream.WriteAsync(frame);
    }

    /// <summary>The next frame; null if the connection has ended.</summary>
    public async Task<Http2Frame?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var header = new byte[HeaderLength];
            await _stream.ReadExactlyAsync(header, cancellationToken);
            var payload = new byte[BinaryPrimitives.ReadInt32BigEndian(header) >>> 8];
            await _stream.ReadExactlyAsync(payload, cancellationToken);
            return new Http2Frame((Http2FrameType)header[3], header[4], BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5)), payload);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return default;
    }
}
