using System.IO.Pipelines;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Encoders;
using Gateway.Archiving.Gzip;
using Gateway.Archiving.Layout;
using Gateway.Archiving.Resuming;
using Gateway.Archiving.Tar;
using Gateway.Archiving.Zip;
using Gateway.Archiving.Zstd;

namespace Gateway.Archiving;

/// <summary>
/// Writes an archive, entry by entry, into a <see cref="PipeWriter"/>. Between <see cref="StartEntry"/> and
/// <see cref="EndEntry"/> the writer itself takes the body, so that a socket read can land where the encoder takes it.
/// </summary>
/// <remarks>
/// <para>Memory: a compressing archive holds one plain block of <see cref="ArchiveRecipe.BlockSize"/> or <see cref="ArchiveRecipe.SmallBlockSize"/>
/// bytes, and none while it waits for the output between two blocks; with several workers two more for each block on its way.
/// Backpressure is <see cref="PipeWriter.FlushAsync"/> and nothing else: flush after every <see cref="PipeWriter.Advance"/>, and
/// stop when the result says that the reader has gone.</para>
/// <para>One caller at a time. Call <see cref="PipeWriter.Complete"/> when done, whatever happened: it returns memory and
/// writes nothing.</para>
/// </remarks>
public abstract class ArchiveWriter : FormatWriter
{
    private readonly PipeWriter _body;
    private State _state;
    private ArchiveEntry _entry;
    private long _written;

    /// <summary>Makes a writer in front of <paramref name="output"/>.</summary>
    /// <param name="output">Where the archive goes; flushed, never completed.</param>
    /// <param name="body">Where the bodies of entries go; what is flushed.</param>
    private protected ArchiveWriter(PipeWriter output, PipeWriter body)
        : base(output) => _body = body;

    private enum State
    {
        BetweenEntries,
        InEntry,
        Finished,
    }

    /// <summary>Makes the writer for a recipe.</summary>
    /// <param name="recipe">Format and compression.</param>
    /// <param name="output">Where the archive goes, for instance <c>HttpResponse.BodyWriter</c>; flushed, never completed.</param>
    /// <param name="workers">Blocks that are compressed at a time, 1 (default) or more: above 1 on the thread pool, for two
    /// blocks of memory each. The archive's bytes are the same for every number.</param>
    /// <param name="trail">Learns, on the caller's thread, from where the archive can be continued.</param>
    public static ArchiveWriter Create(ArchiveRecipe recipe, PipeWriter output, int workers = 1, CheckpointIndex? trail = null)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return Create(recipe, null, output, workers, default, trail);
    }

    /// <summary>Makes a writer that goes on within an archive.</summary>
    /// <param name="layout">The archive.</param>
    /// <param name="output">Where the rest goes.</param>
    /// <param name="start">Where to go on, as <see cref="ArchiveLayout.FindResumePoint"/> says it. The entry it names must be started first,
    /// and <see cref="ResumePoint.BodyOffset"/> bytes of its body must not be written.</param>
    /// <param name="workers">Blocks that are compressed at a time.</param>
    /// <param name="trail">The one from which the start was chosen; learns the rest.</param>
    /// <remarks>Writing throws a <see cref="CheckpointException"/>, before any byte leaves, when the start was noted of something
    /// else.</remarks>
    public static ArchiveWriter Continue(ArchiveLayout layout, PipeWriter output, in ResumePoint start, int workers = 1, CheckpointIndex? trail = null)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return Create(layout.Recipe, layout, output, workers, start, trail);
    }

    /// <summary>The most bytes of buffers that a writer made for this holds at a time, besides those of its output.</summary>
    /// <param name="recipe">Format and compression.</param>
    /// <param name="workers">Blocks that are compressed at a time.</param>
    public static long GetMaxMemory(ArchiveRecipe recipe, int workers)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return recipe.Format == ArchiveFormat.Tar ? 0
            : recipe.Compression == Compression.Store ? 2 * ArchiveRecipe.StoreBlockSize
            : (1 + (2 * workers)) * (long)EncoderCatalogue.Get(recipe).BlockSize;
    }

    /// <summary>Writes the header of an entry; its body follows.</summary>
    /// <param name="entry">Name, exact size and time.</param>
    /// <exception cref="InvalidOperationException">The entry before has not been ended, or the archive is finished.</exception>
    public void StartEntry(in ArchiveEntry entry)
    {
        Require(State.BetweenEntries);
        ArgumentException.ThrowIfNullOrEmpty(entry.Name);
        ArgumentOutOfRangeException.ThrowIfNegative(entry.Size);
        _entry = entry;
        _written = Start(entry);
        _state = State.InEntry;
    }

    /// <inheritdoc/>
    public sealed override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Require(State.InEntry);
        return _body.GetMemory(sizeHint);
    }

    /// <inheritdoc/>
    public sealed override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    /// <exception cref="EntryLengthException">The body is longer than declared; none of the bytes past it are written.</exception>
    public sealed override void Advance(int bytes)
    {
        Require(State.InEntry);
        if (bytes > _entry.Size - _written)
        {
            throw new EntryLengthException(_entry.Name, _entry.Size, _written + bytes);
        }

        _body.Advance(bytes);
        _written += bytes;
    }

    /// <summary>Ends the body of the entry.</summary>
    /// <exception cref="EntryLengthException">The body was shorter than declared.</exception>
    public void EndEntry()
    {
        Require(State.InEntry);
        if (_written < _entry.Size)
        {
            throw new EntryLengthException(_entry.Name, _entry.Size, _written);
        }

        End(_entry);
        _state = State.BetweenEntries;
    }

    /// <inheritdoc/>
    public sealed override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => _body.FlushAsync(cancellationToken);

    /// <summary>Writes an entry whose body is a stream: a file, the body of an HTTP response.</summary>
    /// <param name="entry">Name, exact size and time.</param>
    /// <param name="body">Read to its end; must hold exactly <see cref="ArchiveEntry.Size"/> bytes.</param>
    /// <param name="cancellationToken">Ends the wait for the body and for the output.</param>
    /// <exception cref="EntryLengthException">The body was longer or shorter than declared, or the output's reader left within it.</exception>
    /// <exception cref="IOException">The output's reader has gone.</exception>
    public async Task WriteEntryAsync(ArchiveEntry entry, Stream body, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        StartEntry(entry);
        await body.CopyToAsync(this, cancellationToken);
        EndEntry();

        // Entries without a body come by here, too, and must not pile up.
        if (await FlushAsync(cancellationToken) is { IsCompleted: true })
        {
            throw new IOException("The reader of the output has gone.");
        }
    }

    /// <summary>Writes what stands before the body.</summary>
    /// <returns>Bytes of the body that the archive has already.</returns>
    private protected abstract long Start(in ArchiveEntry entry);

    /// <summary>Writes what stands behind the body.</summary>
    private protected abstract void End(in ArchiveEntry entry);

    /// <summary>Takes no more entries.</summary>
    private protected void Finish()
    {
        Require(State.BetweenEntries);
        _state = State.Finished;
    }

    private static ArchiveWriter Create(
        ArchiveRecipe recipe, ArchiveLayout? layout, PipeWriter output, int workers, in ResumePoint start, CheckpointIndex? trail)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        if (recipe.Format == ArchiveFormat.Tar)
        {
            return new TarWriter(output, start.Skip);
        }

        // A checkpoint holds a checksum from the body's beginning on, which is not seen here.
        var blocks = new BlockWriter(output, EncoderCatalogue.Get(recipe), workers, start, start.IsWithinCopy || !recipe.NeedsCheckpoints ? null : trail);
        return recipe.Format switch
        {
            ArchiveFormat.TarGz => new TarWriter(new GzipWriter(output, blocks), start.Skip),
            ArchiveFormat.TarZst when recipe.Compression == Compression.Store => new TarWriter(new ZstdStoreWriter(output, blocks, layout?.PlainLength), start.Skip),
            ArchiveFormat.TarZst => new TarWriter(new ZstdWriter(output, blocks), start.Skip),
            ArchiveFormat.Zip => new ZipWriter(recipe, output, blocks, start, layout?.Entries ?? [], trail),
            _ => throw new ArgumentOutOfRangeException(nameof(recipe), recipe.Format, "unknown format"),
        };
    }

    private void Require(State state)
    {
        if (_state != state)
        {
            throw new InvalidOperationException($"The archive is {_state}, and this needs it {state}.");
        }
    }
}
