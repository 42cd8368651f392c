using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Server;

/// <summary>
/// Explains why a request line with non-ASCII bytes is rejected (RFC 9112, section 3). Programs send one if a URL is not percent-encoded:
/// <c>curl 'http://host/bundle?ids=s/grüße'</c>. Kestrel alone returns 400 without a body. Only the first request of a connection without TLS is
/// inspected, which is where such programs send it; others still get 400.
/// </summary>
internal static class RequestLineGuard
{
    private const string Body =
        """{"title":"The request line has characters that are not ASCII. Encode the URL as UTF-8 and then percent-encode it, for example with curl -G --data-urlencode 'id=source/grüße' URL.","status":400}""" + "\n";

    private static readonly byte[] Response = Encoding.UTF8.GetBytes(
        $"HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: {Encoding.UTF8.GetByteCount(Body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{Body}");

    // A client that sends nothing is handled by the server.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Connection middleware.</summary>
    public static ConnectionDelegate Guard(ConnectionDelegate next) => async context =>
    {
        if (await IsRefusedAsync(context))
        {
            await context.Transport.Output.WriteAsync(Response, CancellationToken.None);
            return;
        }

        await next(context);
    };

    private static async Task<bool> IsRefusedAsync(ConnectionContext context)
    {
        var input = context.Transport.Input;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.ConnectionClosed);
        patience.CancelAfter(Patience);
        try
        {
            var read = await input.ReadAsync(patience.Token);
            var isRefused = IsRefused(read.Buffer);
            input.AdvanceTo(isRefused ? read.Buffer.End : read.Buffer.Start);
            return isRefused;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The server detects the same, and handles it.
            return false;
        }
    }

    /// <summary>Whether a buffer begins with a method, and its first line has a non-ASCII byte.</summary>
    private static bool IsRefused(ReadOnlySequence<byte> buffer)
    {
        var line = buffer.PositionOf((byte)'\n') is { } end ? buffer.Slice(0, end) : buffer;
        if (line.IsEmpty || !char.IsAsciiLetterUpper((char)line.FirstSpan[0]))
        {
            return false;
        }

        foreach (var segment in line)
        {
            if (segment.Span.ContainsAnyExceptInRange((byte)0, (byte)0x7F))
            {
                return true;
            }
        }

        return false;
    }
}
