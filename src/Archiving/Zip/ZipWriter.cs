using System.Buffers;
using System.IO.Pipelines;
using Gateway.Archiving.Blocks;
using Gateway.Archiving.Resuming;

namespace Gateway.Archiving.Zip;

/// <summary>
/// A zip archive (PKWARE APPNOTE 6.3.10) of regular files, mode 0644. Each body is a separate deflate stream, even if its blocks
/// are stored: streaming readers find the end of such a stream, but not the end of a body of method 0.
/// </summary>
/// <remarks>Memory: the blocks, and for each entry its name and some 100 bytes, which the directory at the end repeats.</remarks>
internal sealed class ZipWriter : ArchiveWriter
{
    // The directory is flushed in steps of this many bytes.
    private const int DirectoryFlush = 64 * 1024;

    private readonly ArchiveRecipe _recipe;
    private readonly BlockWriter _blocks;
    private readonly CheckpointIndex? _checkpoints;
    private readonly List<Made> _entries = [];
    private readonly bool _isWithinCopy;
    private long _skip;
    private bool _isTorn;

    /// <summary>Begins or resumes an archive.</summary>
    /// <param name="recipe">The compression.</param>
    /// <param name="output">Where the archive is written.</param>
    /// <param name="blocks">Writes blocks to the output; starts at the same place.</param>
    /// <param name="start">Where to resume.</param>
    /// <param name="before">The entries before the one in which it resumes.</param>
    /// <param name="checkpoints">Provides the results of these entries, and receives those of the others.</param>
    public ZipWriter(
        ArchiveRecipe recipe, PipeWriter output, BlockWriter blocks, in ResumePoint start, IReadOnlyList<ArchiveEntry> before, CheckpointIndex? checkpoints)
        : base(output, blocks)
    {
        _recipe = recipe;
        _blocks = blocks;
        _checkpoints = checkpoints;
        _skip = start.Skip;
        _isWithinCopy = start.IsWithinCopy;
        for (var i = 0; i < start.Entry; i++)
        {
            var zip = new ZipEntry(before[i], recipe);
            _entries.Add(new Made(zip) { Offset = NextOffset, Result = KnownResult(zip, i) });
        }
    }

    /// <summary>Offset of the next entry, if the results of all previous ones are known.</summary>
    private long? NextOffset => _entries is [.., var last] ? last.Offset + last.Zip.HeaderLength + last.EncodedLength + last.Zip.DescriptorLength : 0;

    /// <inheritdoc/>
    public override async ValueTask<FlushResult> FinishAsync(CancellationToken cancellationToken = default)
    {
        Finish();
        RequireNotTorn();
        var result = await _blocks.FinishAsync(cancellationToken);
        var start = _blocks.Offset;
        var (length, unflushed) = (0L, 0);
        foreach (var made in _entries)
        {
            if (result.IsCompleted || result.IsCanceled)
            {
                return result;
            }

            var written = made.WriteCentral(Output);
            length += written;
            unflushed += written;
            if (unflushed >= DirectoryFlush)
            {
                result = await Output.FlushAsync(cancellationToken);
                unflushed = 0;
            }
        }

        Output.Advance(new ZipEnd(_entries.Count, length, start).Write(Output.GetSpan(ZipEnd.MaxLength)));
        return await FinishOutputAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => _blocks.Complete(exception);

    /// <inheritdoc/>
    private protected override long Start(in ArchiveEntry entry)
    {
        RequireNotTorn();
        var made = new Made(new ZipEntry(entry, _recipe));
        var skipped = 0L;
        if (_skip > 0)
        {
            made.HasNoCrc = _isWithinCopy;
            made.Offset = NextOffset;
            made.Result = KnownResult(made.Zip, _entries.Count);
            skipped = Math.Min(_skip - made.Zip.HeaderLength, entry.Size);
            _skip = 0;
        }
        else
        {
            _blocks.Then(made.Zip.HeaderLength, output =>
            {
                made.Offset = _blocks.Offset;
                return Put(output, made.Zip.HeaderLength, made.Zip, static (zip, span) => zip.WriteHeader(span));
            });
        }

        _entries.Add(made);
        return skipped;
    }

    /// <inheritdoc/>
    private protected override void End(in ArchiveEntry entry)
    {
        var made = _entries[^1];
        var (zip, index) = (made.Zip, _entries.Count - 1);
        var crc = _blocks.EndStream();
        if (made.HasNoCrc && made.Result is null)
        {
            // A range that ends within this body does not need what would follow.
            _isTorn = true;
            return;
        }

        _blocks.Then(zip.DescriptorLength, output =>
        {
            var end = zip.HasBody ? StoredDeflate.Final : [];
            made.Result ??= new EntryResult(crc, _blocks.Offset + end.Length - (made.Offset!.Value + zip.HeaderLength));
            _checkpoints?.Add(index, made.Result.Value);
            output.Write(end);
            return end.Length + (zip.HasBody ? Put(output, zip.DescriptorLength, made, static (made, span) => made.Zip.WriteDescriptor(span, made.Result!.Value)) : 0);
        });
    }

    private void RequireNotTorn()
    {
        if (_isTorn)
        {
            throw new InvalidOperationException("The archive was started within a body of unknown checksum and cannot continue past it.");
        }
    }

    private static int Put<T>(PipeWriter output, int length, T record, Func<T, Span<byte>, int> write)
    {
        output.Advance(write(record, output.GetSpan(length)[..length]));
        return length;
    }

    /// <summary>The result of an entry that is not written here, or not from its beginning.</summary>
    private EntryResult? KnownResult(ZipEntry zip, int index) =>
        _checkpoints?.FindResult(index) ?? (zip.HasBody ? null : default(EntryResult));

    /// <summary>An entry, and what is known about it so far.</summary>
    private sealed class Made(ZipEntry zip)
    {
        public ZipEntry Zip { get; } = zip;

        /// <summary>The offset of its header.</summary>
        public long? Offset { get; set; }

        public EntryResult? Result { get; set; }

        /// <summary>Whether it is written neither from its beginning nor from a checkpoint.</summary>
        public bool HasNoCrc { get; set; }

        public long? EncodedLength => Result?.EncodedLength ?? Zip.EncodedLength;

        public int WriteCentral(PipeWriter output)
        {
            if (Offset is not { } offset || Result is not { } result)
            {
                throw new InvalidOperationException($"The checksum and length of the entry '{Zip.Entry.Name}' are not known.");
            }

            var length = Zip.CentralLength(offset);
            output.Advance(Zip.WriteCentral(output.GetSpan(length)[..length], result, offset));
            return length;
        }
    }
}
