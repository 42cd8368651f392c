namespace Gateway.Upstreams;

/// <summary>A body that began at 0 where its middle was asked for: drops what we have already. Only for reading once, forward.</summary>
internal sealed class SkippingStream(Stream body, long skip) : Stream
{
    private long _skip = skip;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_skip > 0)
        {
            var dropped = await body.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _skip)], cancellationToken);
            if (dropped == 0)
            {
                return 0;
            }

            _skip -= dropped;
        }

        return await body.ReadAsync(buffer, cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
