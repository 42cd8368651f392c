using System.Globalization;
using System.Net.Http.Headers;
using Gateway.Storage.Http;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Storage.Stores.Folder;

/// <summary>An open regular file inside a folder: what is read is the file that was described, even if its name now refers to another one.</summary>
internal sealed class FolderFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly DateTime _modified;

    private FolderFile(SafeFileHandle handle)
    {
        _handle = handle;
        Length = RandomAccess.GetLength(handle);
        _modified = File.GetLastWriteTimeUtc(handle);
        ETag = new EntityTagHeaderValue(GetETag(_modified, Length));
    }

    public long Length { get; }

    public DateTimeOffset Modified => _modified;

    public EntityTagHeaderValue ETag { get; }

    /// <summary>Null if the file does not exist, may not be read, is a pipe or a device, or if a link leads out of the folder.</summary>
    /// <exception cref="IOException">It cannot be opened at the moment, although it may exist.</exception>
    public static FolderFile? TryOpen(string folder, IEnumerable<string> segments)
    {
        try
        {
            return FolderPath.TryOpen(folder, segments) is { } handle ? new FolderFile(handle) : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or PathTooLongException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The ETag of a file, with its quotes.</summary>
    public static string GetETag(DateTime modified, long length) => string.Create(CultureInfo.InvariantCulture, $"\"{modified.Ticks:x}-{length:x}\"");

    /// <summary>The bytes of a range. The stream takes ownership of the file.</summary>
    public Stream Read(long from, long length) => new Body(this, from, length);

    public void Dispose() => _handle.Dispose();

    /// <summary>A file that is written to while it is read must not look complete: its modification time is compared again before its end.</summary>
    private sealed class Body(FolderFile file, long position, long remaining) : ForwardStream
    {
        private long _position = position;
        private long _remaining = remaining;

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

            var read = await RandomAccess.ReadAsync(file._handle, buffer, _position, cancellationToken);
            _position += read;
            _remaining -= read;
            if (read == 0 || (_remaining == 0 && File.GetLastWriteTimeUtc(file._handle) != file._modified))
            {
                throw new IOException("The file was changed while it was read.");
            }

            return read;
        }

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
