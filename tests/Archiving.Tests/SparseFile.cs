namespace Archiving.Tests;

/// <summary>A file in which zeros take no space, so that other programs can read archives of many GiB.</summary>
internal sealed class SparseFile : IDisposable
{
    private readonly FileStream _file = new(
        System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"gateway-sparse-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite);

    public SparseFile() => Output = new Sink(_file);

    public string Path => _file.Name;

    public Stream Output { get; }

    public FileStream OpenRead() => new(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);

    public void Dispose()
    {
        _file.Dispose();
        File.Delete(Path);
    }

    private sealed class Sink(FileStream file) : Stream
    {
        private const int PageSize = 4096;
        private long _length;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            while (!buffer.IsEmpty)
            {
                var page = buffer[..(int)Math.Min(PageSize - (_length % PageSize), buffer.Length)];
                if (page.ContainsAnyExcept((byte)0))
                {
                    file.Position = _length;
                    file.Write(page);
                }

                _length += page.Length;
                buffer = buffer[page.Length..];
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return default;
        }

        public override void Flush()
        {
            file.SetLength(_length);
            file.Flush();
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
