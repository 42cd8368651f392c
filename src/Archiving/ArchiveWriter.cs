using System.IO.Pipelines;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Gzip;
using Gateway.Archiving.Layout;
using Gateway.Archiving.Tar;

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
    /// <summary>Makes a writer in front of <paramref name="output"/>.</summary>
    /// <param name="output">Where the archive goes; flushed, never completed.</param>
    protected ArchiveWriter(PipeWriter output)
        : base(output)
    {
    }

    /// <summary>Makes the writer for a recipe.</summary>
    /// <param name="recipe">Format and compression.</param>
    /// <param name="output">Where the archive goes, for instance <c>HttpResponse.BodyWriter</c>; flushed, never completed.</param>
    /// <param name="workers">Blocks that are compressed at a time, 1 (default) or more: above 1 on the thread pool, for two
    /// blocks of memory each. The archive's bytes are the same for every number.</param>
    /// <param name="reached">Is told, every few MiB and on the caller's thread, from where the archive can be continued; formats
    /// that can be continued anywhere tell nothing.</param>
    public static ArchiveWriter Create(ArchiveRecipe recipe, PipeWriter output, int workers = 1, Action<ArchiveCheckpoint>? reached = null) =>
        Continue(recipe, output, default, 0, workers, reached);

    /// <summary>Makes a writer that goes on within an archive.</summary>
    /// <param name="recipe">Format and compression.</param>
    /// <param name="output">Where the rest goes.</param>
    /// <param name="from">Where to go on: a place that a writer of the same recipe told, or for <see cref="ArchiveFormat.Tar"/> any.</param>
    /// <param name="skip">Bytes before that place, counted from the beginning of the entry it stands in, its header included; that
    /// entry must be started first. Those bytes of its body must not be written.</param>
    /// <param name="workers">Blocks that are compressed at a time.</param>
    /// <param name="reached">Is told from where the archive can be continued.</param>
    public static ArchiveWriter Continue(
        ArchiveRecipe recipe, PipeWriter output, ArchiveCheckpoint from, long skip, int workers = 1, Action<ArchiveCheckpoint>? reached = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        return recipe.Format switch
        {
            ArchiveFormat.Tar => new TarWriter(output, skip),
            ArchiveFormat.TarGz => new TarWriter(
                new GzipWriter(output, BlockEncoder.For(recipe), recipe.Compression == Compression.Store ? 1 : workers, from, reached), skip),
            _ => throw new ArgumentOutOfRangeException(nameof(recipe), recipe.Format, "unknown format"),
        };
    }

    /// <summary>The most bytes of buffers that a writer made for this holds at a time, besides those of its output.</summary>
    /// <param name="recipe">Format and compression.</param>
    /// <param name="workers">Blocks that are compressed at a time.</param>
    public static long MemoryOf(ArchiveRecipe recipe, int workers)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return recipe.Format == ArchiveFormat.Tar ? 0
            : recipe.Compression == Compression.Store ? 2 * ArchiveRecipe.StoreBlockSize
            : (1 + (2 * workers)) * (long)BlockEncoder.For(recipe).BlockSize;
    }

    /// <summary>Writes the header of an entry; its body follows.</summary>
    /// <param name="entry">Name, exact size and time.</param>
    /// <exception cref="InvalidOperationException">The entry before has not been ended, or the archive is finished.</exception>
    public abstract void StartEntry(in ArchiveEntry entry);

    /// <summary>Ends the body of the entry.</summary>
    /// <exception cref="EntryLengthException">The body was shorter than declared.</exception>
    public abstract void EndEntry();

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
}
