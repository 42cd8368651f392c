using System.Buffers;
using System.IO.Pipelines;
using Gateway.Archiving;
using Gateway.Archiving.Resuming;
using Gateway.Plans;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Runs;
using Gateway.Storage.Checksums;
using Gateway.Storage.Failures;
using Gateway.Storage.Objects;

namespace Gateway.Streaming;

/// <summary>One archive, or the rest of one, while it is written. Its loop is the hot path: objects in order, from storage into the archive.</summary>
/// <remarks>
/// One flow. It owns the archive writer, whose blocks are its memory, and the <see cref="Prefetcher"/>. A read from storage lands in the memory of the
/// block that is compressed next. Nothing is read while a flush waits for the client.
/// </remarks>
internal sealed class BundleArchive : IAsyncDisposable
{
    private const int SkipBuffer = 128 * 1024;

    private readonly BundleRun _run;
    private readonly BundlePlan _plan;
    private readonly ResumeState _state;
    private readonly ResumePoint _start;
    private readonly PipeWriter _output;
    private readonly long _maxBytes;
    private readonly CancellationToken _cancellationToken;
    private readonly RangeWriter? _range;
    private readonly ArchiveWriter _archive;
    private readonly Prefetcher _prefetcher;
    private readonly ReleasingFlush _flusher;

    // What must be hashed is read from its beginning, whatever the client has of it.
    private readonly bool _isStartHashed;

    // What storage reported of the objects that were sent; null where the plan knows it.
    private readonly ObjectHead?[]? _heads;

    public BundleArchive(BundleRun run, ResumePoint start, PipeWriter output, ArchiveSettings settings, CancellationToken cancellationToken)
    {
        (_run, _plan, _state, _output, _range) = (run, run.Plan!, run.State!, output, output as RangeWriter);
        (_maxBytes, _cancellationToken) = (settings.MaxBytes, cancellationToken);
        _archive = _plan.Layout is { } layout
            ? ArchiveWriter.Continue(layout, output, start, settings.Workers, _state.Checkpoints)
            : ArchiveWriter.Create(_plan.Recipe, output, settings.Workers);
        _isStartHashed = start.Entry < _plan.Entries.Count
            && (_plan.Request.HasReceipt || _plan.Entries[start.Entry].Sha256 is not null)
            && _state.GetHash(start.Entry) is null;
        _start = start with { IsBodyDone = start.IsBodyDone && !_isStartHashed };
        _heads = _plan.Layout is null ? new ObjectHead?[_plan.Entries.Count] : null;
        _prefetcher = new Prefetcher(run, settings.Store, _start, _isStartHashed ? 0 : start.BodyOffset, cancellationToken);
        _flusher = new ReleasingFlush(_archive, _prefetcher, settings.Store.Options.ReleaseAfter, settings.Store.Time);
    }

    private bool IsRangeDone => _range is { IsDone: true };

    /// <summary>Writes the archive to its end, or to the end of the range.</summary>
    public async Task WriteAsync()
    {
        // The format's first bytes leave before storage is asked for anything.
        await _archive.FlushAsync(_cancellationToken);
        if (_start.IsBodyDone)
        {
            _archive.StartEntry(_plan.Layout!.Entries[_start.Entry]);
            _archive.EndEntry();
        }

        var left = _maxBytes;
        for (var i = _start.FirstBody; i < _plan.Entries.Count && !IsRangeDone; i++)
        {
            await using var reader = await NextAsync(i);
            left -= reader.Head.Size!.Value;
            if (left < 0)
            {
                throw BundleProblemException.TooLarge($"The objects have more than {_maxBytes} bytes together.");
            }

            await WriteEntryAsync(i, reader);
        }

        _run.Record.EntryIndex = null;
        if (_plan.Request.HasReceipt && !IsRangeDone && _start.FirstBody <= _plan.Entries.Count)
        {
            await WriteReceiptAsync();
        }

        if (IsRangeDone)
        {
            await _output.FlushAsync(_cancellationToken);
            return;
        }

        await _archive.FinishAsync(_cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _archive.Complete();
        await _prefetcher.DisposeAsync();
    }

    private async Task WriteEntryAsync(int place, IObjectReader reader)
    {
        var entry = _plan.Entries[place];
        var size = reader.Head.Size!.Value;
        var offset = place == _start.Entry ? _start.BodyOffset : 0;
        if (_heads is not null)
        {
            _heads[place] = reader.Head;
        }
        else if (_plan.Request.HasReceipt && offset == 0 && entry.Head is { IsFromListing: false } && reader.Head.Encoding != entry.Head.Encoding)
        {
            // The receipt has its planned length, and would name another encoding.
            var failure = new StorageException(FailureReason.ObjectChanged, "The Content-Encoding of the object is not the planned one.");
            reader.Note(failure);
            throw failure;
        }

        // As planned: what was announced must be what is sent.
        _archive.StartEntry(_plan.Layout?.Entries[place] ?? new ArchiveEntry(entry.Name, size, reader.Head.Modified));
        using var check = offset > 0 && !_isStartHashed
            ? null
            : CreateVerifier(entry, reader);
        if (offset > 0 && _isStartHashed)
        {
            await HashSkippedPrefixAsync(reader, offset, check!);
        }

        await CopyAsync(reader, size - offset, check);
        if (IsRangeDone)
        {
            return;
        }

        if (_plan.Request.HasReceipt && check?.Sha256 is { } hash)
        {
            _state.AddHash(place, hash);
        }

        _archive.EndEntry();
        await _flusher.FlushAsync(reader, _cancellationToken);
        _run.Record.EntriesSent++;
    }

    /// <summary>An object in memory has been compared with what storage reported.</summary>
    private ChecksumVerifier? CreateVerifier(PlannedEntry entry, IObjectReader reader)
    {
        var reported = reader.IsPreloaded ? null : reader.Head.Checksums;
        return _plan.Request.HasReceipt ? ChecksumVerifier.CreateHashing(entry.Sha256, reported) : ChecksumVerifier.Create(entry.Sha256, reported);
    }

    private async Task CopyAsync(IObjectReader reader, long rest, ChecksumVerifier? check)
    {
        if (rest == 0)
        {
            Require(check, reader);
        }

        while (true)
        {
            _prefetcher.Fill(rest);
            var memory = rest > 0 ? _archive.GetMemory() : default;
            var read = reader.ReadAsync(memory);
            var count = read.IsCompletedSuccessfully ? read.Result : await _run.Record.WaitForUpstreamAsync(read.AsTask());
            if (count == 0)
            {
                return;
            }

            rest -= count;
            if (check is not null)
            {
                check.Append(memory.Span[..count]);
                if (rest == 0)
                {
                    // Before its last bytes leave: an entry that is not what it should be never looks whole.
                    Require(check, reader);
                }
            }

            _archive.Advance(count);
            var flush = _flusher.FlushAsync(reader, _cancellationToken);
            if (!flush.IsCompletedSuccessfully)
            {
                reader.PauseReading();
                await flush;
                reader.ResumeReading();
            }

            if (IsRangeDone)
            {
                return;
            }
        }
    }

    private async Task WriteReceiptAsync()
    {
        var entries = _heads is null ? _plan.All : [.. _plan.All.Select((entry, i) => entry with { Head = _heads[i] })];
        _archive.StartEntry(_plan.Layout?.Entries[^1] ?? BundleReceipt.GetEntry(entries));
        var skip = _start.Entry == _plan.Entries.Count ? _start.BodyOffset : 0;
        await BundleReceipt.WriteAsync(_archive, entries, place => _state.GetHash(place)!, skip, _cancellationToken);
        _archive.EndEntry();
    }

    /// <summary>Hashes what the client has already.</summary>
    private static async Task HashSkippedPrefixAsync(IObjectReader reader, long bytes, ChecksumVerifier check)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(SkipBuffer);
        try
        {
            for (var count = 0; bytes > 0; bytes -= count)
            {
                count = await reader.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, bytes)));
                check.Append(buffer.AsSpan(0, count));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <exception cref="StorageException">The object is not what was stated.</exception>
    private static void Require(ChecksumVerifier? check, IObjectReader reader)
    {
        try
        {
            check?.Require();
        }
        catch (StorageException failure)
        {
            reader.Note(failure);
            throw;
        }
    }

    private ValueTask<IObjectReader> NextAsync(int place)
    {
        _run.Record.EntryIndex = _plan.Entries[place].Index;
        var next = _prefetcher.NextAsync();
        return next.IsCompletedSuccessfully ? next : new(_run.Record.WaitForUpstreamAsync(next.AsTask()));
    }
}
