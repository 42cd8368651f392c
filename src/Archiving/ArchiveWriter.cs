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
/// <see cref="EndEntry"/> the writer itself accepts the body, so that a socket can read directly into the encoder's memory.
/// </summary>
/// <remarks>
/// <para>Memory: a compressing archive holds one uncompressed block of <see cref="ArchiveRecipe.BlockSize"/> or
/// <see cref="ArchiveRecipe.SmallBlockSize"/> bytes, and none while it waits for the output between two blocks; with several workers,
/// two more for each block in progress. <see cref="PipeWriter.FlushAsync"/> is the only backpressure: flush after every
/// <see cref="PipeWriter.Advance"/>, and stop when the result reports that the reader has completed.</para>
/// <para>Not thread-safe. Always call <see cref="PipeWriter.Complete"/> when done, even after a failure: it returns memory and
/// writes nothing.</para>
/// </remarks>
public abstract class ArchiveWriter : FormatWriter
{
    private readonly PipeWriter _body;
    private State _state;
    private ArchiveEntry _entry;
    private long _written;

    /// <summary>Creates a writer that writes to <paramref name="output"/>.</summary>
    /// <param name="output">The archive's destination; flushed, never completed.</param>
    /// <param name="body">Accepts the bodies of entries; this is what is flushed.</param>
    private protected ArchiveWriter(PipeWriter output, PipeWriter body)
        : base(output) => _body = body;

    private enum State
    {
        BetweenEntries,
        InEntry,
        Finished,
    }

    /// <summary>Creates the writer for a recipe.</summary>
    /// <param name="recipe">Format and compression.</param>
    /// <param name="output">The archive's destination, for instance <c>HttpResponse.BodyWriter</c>; flushed, never completed.</param>
    /// <param name="workers">Blocks that are compressed in parallel, 1 (default) or more. Above 1 the thread pool compresses, with two
    /// blocks of memory each. The archive's bytes do not depend on the number.</param>
    /// <param name="checkpoints">Receives, on the caller's thread, the places at which the archive can be resumed.</param>
    public static ArchiveWriter Create(ArchiveRecipe recipe, PipeWriter output, int workers = 1, CheckpointIndex? checkpoints = null)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return Create(recipe, output, new(null, default, workers, checkpoints));
    }

    /// <summary>Creates a writer that resumes an archive.</summary>
    /// <param name="layout">The archive.</param>
    /// <param name="output">The destination of the remaining bytes.</param>
    /// <param name="start">Where to resume, from <see cref="ArchiveLayout.FindResumePoint"/>. The entry it names must be started first,
    /// and <see cref="ResumePoint.BodyOffset"/> bytes of its body must not be written.</param>
    /// <param name="workers">Blocks that are compressed in parallel.</param>
    /// <param name="checkpoints">The checkpoints from which the start was chosen; receives the remaining places.</param>
    /// <remarks>If the start belongs to another archive, writing throws a <see cref="CheckpointException"/> before any byte is
    /// written.</remarks>
    public static ArchiveWriter Continue(ArchiveLayout layout, PipeWriter output, in ResumePoint start, int workers = 1, CheckpointIndex? checkpoints = null)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return Create(layout.Recipe, output, new(layout, start, workers, checkpoints));
    }

    /// <summary>The maximum number of buffered bytes that such a writer holds, not counting its output's buffers.</summary>
    /// <param name="recipe">Format and compression.</param>
    /// <param name="workers">Blocks that are compressed in parallel.</param>
    public static long GetMaxMemory(ArchiveRecipe recipe, int workers)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return recipe.Format == ArchiveFormat.Tar ? 0
            : recipe.Compression == Compression.Store ? 2 * ArchiveRecipe.StoreBlockSize
            : (1 + (2 * workers)) * (long)EncoderCatalogue.Get(recipe).BlockSize;
    }

    /// <summary>Writes the header of an entry; its body follows.</summary>
    /// <param name="entry">Name, exact size and time.</param>
    /// <exception cref="InvalidOperationException">The previous entry has not been ended, or the archive is finished.</exception>
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
    /// <exception cref="EntryLengthException">The body is longer than declared; the excess bytes are not written.</exception>
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
    /// <param name="cancellationToken">Cancels the wait for the body and for the output.</param>
    /// <exception cref="EntryLengthException">The body was longer or shorter than declared, or the output's reader completed during it.</exception>
    /// <exception cref="IOException">The output's reader has completed.</exception>
    public async Task WriteEntryAsync(ArchiveEntry entry, Stream body, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        StartEntry(entry);
        await body.CopyToAsync(this, cancellationToken);
        EndEntry();

        // Entries without a body end up here too; without a flush they would accumulate.
        if (await FlushAsync(cancellationToken) is { IsCompleted: true })
        {
            throw new IOException("The output's reader has completed.");
        }
    }

    /// <summary>Writes what precedes the body.</summary>
    /// <returns>Bytes of the body that the archive already contains.</returns>
    private protected abstract long Start(in ArchiveEntry entry);

    /// <summary>Writes what follows the body.</summary>
    private protected abstract void End(in ArchiveEntry entry);

    /// <summary>Accepts no more entries.</summary>
    private protected void Finish()
    {
        Require(State.BetweenEntries);
        _state = State.Finished;
    }

    private static ArchiveWriter Create(ArchiveRecipe recipe, PipeWriter output, in Origin origin)
    {
        var (layout, start, workers, checkpoints) = origin;
        ArgumentNullException.ThrowIfNull(output);
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        if (recipe.Format == ArchiveFormat.Tar)
        {
            return new TarWriter(output, start.Skip);
        }

        // A checkpoint holds a checksum from the start of the body, whose beginning is not read here.
        var blocks = new BlockWriter(output, EncoderCatalogue.Get(recipe), workers, start, start.IsWithinCopy || !recipe.NeedsCheckpoints ? null : checkpoints);
        return recipe.Format switch
        {
            ArchiveFormat.TarGz => new TarWriter(new GzipWriter(output, blocks), start.Skip),
            ArchiveFormat.TarZst when recipe.Compression == Compression.Store => new TarWriter(new ZstdStoreWriter(output, blocks, layout?.PlainLength), start.Skip),
            ArchiveFormat.TarZst => new TarWriter(new ZstdWriter(output, blocks), start.Skip),
            ArchiveFormat.Zip => new ZipWriter(recipe, output, blocks, start, layout?.Entries ?? [], checkpoints),
            _ => throw new ArgumentOutOfRangeException(nameof(recipe), recipe.Format, "Unknown format."),
        };
    }

    private void Require(State state)
    {
        if (_state != state)
        {
            throw new InvalidOperationException($"The archive is {_state}; this call requires {state}.");
        }
    }

    /// <summary>Where writing begins, and what is known of the archive.</summary>
    private readonly record struct Origin(ArchiveLayout? Layout, ResumePoint Start, int Workers, CheckpointIndex? Checkpoints);
}
