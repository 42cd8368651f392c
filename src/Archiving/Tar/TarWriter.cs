using System.Buffers;
using System.IO.Pipelines;

namespace Gateway.Archiving.Tar;

/// <summary>
/// A tar archive (POSIX.1-2017, pax) of regular files, mode 0644, owner 0. It owns no memory: header, body and padding are
/// written into the output's own buffers.
/// </summary>
/// <param name="output">Where it goes.</param>
/// <param name="skip">Bytes of the first entry, its header included, that are left out because the archive goes on in it; of its
/// body the caller leaves them out, too.</param>
internal sealed class TarWriter(PipeWriter output, long skip = 0) : ArchiveWriter(output)
{
    private enum State
    {
        BetweenEntries,
        InEntry,
        Finished,
    }

    private State _state;
    private ArchiveEntry _entry;
    private long _written;
    private long _skip = skip;

    /// <inheritdoc/>
    public override void StartEntry(in ArchiveEntry entry)
    {
        Require(State.BetweenEntries);
        ArgumentException.ThrowIfNullOrEmpty(entry.Name);
        ArgumentOutOfRangeException.ThrowIfNegative(entry.Size);
        var header = TarHeader.Encode(entry);
        Write(header);
        _entry = entry;
        _written = Math.Min(_skip, entry.Size);
        _skip -= _written;
        _state = State.InEntry;
    }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Require(State.InEntry);
        return Output.GetMemory(sizeHint);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    /// <exception cref="EntryLengthException">The body is longer than declared; none of the bytes past it are written.</exception>
    public override void Advance(int bytes)
    {
        Require(State.InEntry);
        if (bytes > _entry.Size - _written)
        {
            throw new EntryLengthException(_entry.Name, _entry.Size, _written + bytes);
        }

        Output.Advance(bytes);
        _written += bytes;
    }

    /// <inheritdoc/>
    public override void EndEntry()
    {
        Require(State.InEntry);
        if (_written < _entry.Size)
        {
            throw new EntryLengthException(_entry.Name, _entry.Size, _written);
        }

        WriteZeros(TarHeader.PaddingOf(_entry.Size));
        _state = State.BetweenEntries;
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        Output.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FinishAsync(CancellationToken cancellationToken = default)
    {
        Require(State.BetweenEntries);
        _state = State.Finished;

        WriteZeros(TarHeader.TrailerLength);
        return FinishOutputAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        _state = State.Finished;
        if (Output is FormatWriter format)
        {
            format.Complete(exception);
        }
    }

    /// <summary>Writes what is left of some bytes when those that a resumed archive has already are left out.</summary>
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

    private void Require(State state)
    {
        if (_state != state)
        {
            throw new InvalidOperationException($"The archive is {_state}, and this needs it {state}.");
        }
    }
}
