using System.Buffers;
using System.IO.Pipelines;

namespace Gateway.Archiving.Tar;

/// <summary>
/// A tar archive (POSIX.1-2017, pax) of regular files, mode 0644, owner 0. It owns no memory: header, body and padding are
/// written into the output's own buffers.
/// </summary>
/// <param name="output">Where the archive is written.</param>
/// <param name="skip">Bytes of the first entry, its header included, that are omitted because the archive is resumed there. The
/// caller omits those of the body too.</param>
internal sealed class TarWriter(PipeWriter output, long skip = 0) : ArchiveWriter(output, output)
{
    private long _skip = skip;

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FinishAsync(CancellationToken cancellationToken = default)
    {
        Finish();
        WriteZeros(TarHeader.TrailerLength);
        return FinishOutputAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        if (Output is FormatWriter format)
        {
            format.Complete(exception);
        }
    }

    /// <inheritdoc/>
    private protected override long Start(in ArchiveEntry entry)
    {
        Write(TarHeader.Encode(entry));
        var skipped = Math.Min(_skip, entry.Size);
        _skip -= skipped;
        return skipped;
    }

    /// <inheritdoc/>
    private protected override void End(in ArchiveEntry entry) => WriteZeros(TarHeader.GetPadding(entry.Size));

    /// <summary>Writes what remains of some bytes after omitting those that a resumed archive already has.</summary>
    private void Write(ReadOnlySpan<byte> bytes)
    {
        var skipped = (int)Math.Min(_skip, bytes.Length);
        _skip -= skipped;
        Output.Write(bytes[skipped..]);
    }

    private void WriteZeros(int count)
    {
        if (count > 0)
        {
            Span<byte> zeros = stackalloc byte[TarHeader.TrailerLength];
            zeros.Clear();
            Write(zeros[..count]);
        }
    }
}
