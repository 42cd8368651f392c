using System.Globalization;
using System.Net.Http.Headers;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Upstreams;

/// <summary>A regular file inside a folder, open: what is read is what was described, even if its name points elsewhere by now.</summary>
internal sealed class FolderFile : IDisposable
{
    // As many as Linux follows.
    private const int MaxLinks = 40;

    private readonly SafeFileHandle? _handle;
    private readonly DateTime _modified;

    private FolderFile(SafeFileHandle? handle, FileInfo file)
    {
        _handle = handle;
        Length = handle is null ? 0 : RandomAccess.GetLength(handle);
        _modified = handle is null ? file.LastWriteTimeUtc : File.GetLastWriteTimeUtc(handle);
        ETag = new EntityTagHeaderValue(string.Create(CultureInfo.InvariantCulture, $"\"{_modified.Ticks:x}-{Length:x}\""));
    }

    public long Length { get; }

    public DateTimeOffset Modified => _modified;

    public EntityTagHeaderValue ETag { get; }

    /// <summary>Null when there is no such file, when it may not be read, or when a link leads out of the folder.</summary>
    public static FolderFile? TryOpen(string folder, string path)
    {
        try
        {
            if (Resolve(folder, path) is not { } real || new FileInfo(real) is not { Exists: true } file)
            {
                return null;
            }

            // Opening a pipe would wait for its other end. Pipes and devices have no length, and what has none need not be opened.
            var handle = file.Length == 0
                ? null
                : File.OpenHandle(real, share: FileShare.ReadWrite | FileShare.Delete, options: FileOptions.Asynchronous | FileOptions.SequentialScan);
            return new FolderFile(handle, file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>The bytes of a range; the stream owns the file from then on.</summary>
    public Stream Read(long from, long length) => new Body(this, from, length);

    public void Dispose() => _handle?.Dispose();

    /// <summary>
    /// The path without links, walked segment by segment; null where it leaves the folder on the way. A link's target is walked
    /// in turn, because links may stand inside it.
    /// </summary>
    private static string? Resolve(string folder, string path)
    {
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var realRoot = Path.TrimEndingDirectorySeparator(Directory.ResolveLinkTarget(root, returnFinalTarget: true)?.FullName ?? root);
        if (Inside(root, Path.GetFullPath(path)) is not { } segments)
        {
            return null;
        }

        var rest = new Stack<string>(segments.Reverse());
        var real = realRoot;
        for (var links = 0; rest.TryPop(out var segment);)
        {
            var next = Path.Combine(real, segment);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            var absolute = Path.GetFullPath(target, real);
            if (++links > MaxLinks || (Inside(realRoot, absolute) ?? Inside(root, absolute)) is not { } more)
            {
                return null;
            }

            real = realRoot;
            foreach (var part in more.Reverse())
            {
                rest.Push(part);
            }
        }

        return real;
    }

    private static string[]? Inside(string folder, string path) =>
        path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path[(folder.Length + 1)..].Split(Path.DirectorySeparatorChar)
            : null;

    /// <summary>A file that is written to while it is read must not look whole: its time is looked at again before its end.</summary>
    private sealed class Body(FolderFile file, long position, long remaining) : Stream
    {
        private long _position = position;
        private long _remaining = remaining;

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
            if (buffer.Length > _remaining)
            {
                buffer = buffer[..(int)_remaining];
            }

            if (buffer.IsEmpty)
            {
                return 0;
            }

            var read = await RandomAccess.ReadAsync(file._handle!, buffer, _position, cancellationToken);
            _position += read;
            _remaining -= read;
            if (read == 0 || (_remaining == 0 && File.GetLastWriteTimeUtc(file._handle!) != file._modified))
            {
                throw new IOException("The file was changed while it was read.");
            }

            return read;
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

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                file.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
