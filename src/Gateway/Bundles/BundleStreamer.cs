using System.Buffers;
using System.IO.Pipelines;
using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Gateway.Failures;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Upstreams;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>The hot loop: objects in order, from storage into the archive.</summary>
internal sealed class BundleStreamer(ObjectStore store, IOptions<BundleOptions> options)
{
    private const int PassBuffer = 128 * 1024;

    private readonly int _workers = options.Value.Compression.MostWorkers;
    private readonly long _maxBytes = options.Value.Limits.MaxBytes;

    /// <summary>Streams a plan and ends the archive. Every exception leaves it without its end.</summary>
    /// <param name="plan">What to send.</param>
    /// <param name="start">Where to begin.</param>
    /// <param name="facts">Learns from where the archive can be continued, and what became of its entries.</param>
    /// <param name="ahead">Memory for what is read before its turn.</param>
    /// <param name="output">Where the archive goes; a range that has been written ends the streaming.</param>
    /// <param name="record">Follows how far it came.</param>
    /// <param name="cancellationToken">Client gone, or time to stop.</param>
    public async Task StreamAsync(
        BundlePlan plan, ArchiveStart start, ArchiveFacts facts, AheadMemory ahead, PipeWriter output, BundleRecord record, CancellationToken cancellationToken)
    {
        var range = output as RangeWriter;
        var archive = plan.Layout is { } layout
            ? ArchiveWriter.Continue(layout, output, start, _workers, facts.Trail)
            : ArchiveWriter.Create(plan.Recipe, output, _workers);

        // What must be hashed is read from its beginning, whatever the client has of it.
        var isHashed = start.Entry < plan.Entries.Count && (plan.HasReceipt || plan.Entries[start.Entry].Sha256 is not null) && facts.HashOf(start.Entry) is null;
        var first = start with { IsBodyDone = start.IsBodyDone && !isHashed };
        var lookahead = new Lookahead(plan.Entries, first, isHashed ? 0 : start.BodyOffset, store, ahead, record.Transfer, cancellationToken);
        var flusher = new ReleasingFlush(archive, lookahead, store.Options.ReleaseAfter, store.Time);
        try
        {
            // The format's first bytes leave before storage is asked for anything.
            await archive.FlushAsync(cancellationToken);
            var left = _maxBytes > 0 ? _maxBytes : long.MaxValue;
            if (first.IsBodyDone)
            {
                archive.StartEntry(plan.Layout!.Entries[first.Entry]);
                archive.EndEntry();
            }

            for (var i = first.FirstBody; i < plan.Entries.Count && range is not { IsDone: true }; i++)
            {
                var entry = plan.Entries[i];
                record.EntryIndex = entry.Index;
                await using var reader = await NextAsync(lookahead, record);
                var size = reader.Head.Size!.Value;
                var offset = i == start.Entry ? start.BodyOffset : 0;
                left -= size;
                if (left < 0)
                {
                    throw BundleProblemException.TooLarge($"The objects have more than {_maxBytes} bytes together.");
                }

                if (plan.Layout is null)
                {
                    entry.Head = reader.Head;
                }
                else if (plan.HasReceipt && offset == 0 && reader.Head.Encoding != entry.Head!.Encoding)
                {
                    // The receipt has its planned length, and would name another encoding.
                    var failure = new StorageException(FailureReason.ObjectChanged, "The Content-Encoding of the object is not the planned one.");
                    reader.Note(failure);
                    throw failure;
                }

                // As planned: what was announced must be what is sent.
                archive.StartEntry(plan.Layout?.Entries[i] ?? new ArchiveEntry(entry.Name, size, reader.Head.Modified));
                using var check = offset > 0 && !isHashed ? null : ObjectCheck.Of(entry.Sha256, reader.IsPreloaded ? null : reader.Head.Checksums, plan.HasReceipt);
                if (offset > 0 && isHashed)
                {
                    await PassAsync(reader, offset, check!);
                }

                await CopyAsync(reader, size - offset, check, archive, flusher, range, lookahead, record, cancellationToken);
                if (range is { IsDone: true })
                {
                    break;
                }

                if (plan.HasReceipt && check?.Sha256 is { } hash)
                {
                    facts.AddHash(i, hash);
                }

                archive.EndEntry();
                await flusher.FlushAsync(reader, cancellationToken);
                record.EntriesSent++;
            }

            record.EntryIndex = null;
            if (plan.HasReceipt && range is not { IsDone: true } && first.FirstBody <= plan.Entries.Count)
            {
                archive.StartEntry(plan.Layout?.Entries[^1] ?? BundleReceipt.EntryOf(plan.All));
                await BundleReceipt.WriteAsync(
                    archive, plan.All, place => facts.HashOf(place)!, start.Entry == plan.Entries.Count ? start.BodyOffset : 0, cancellationToken);
                archive.EndEntry();
            }

            if (range is { IsDone: true })
            {
                await output.FlushAsync(cancellationToken);
                return;
            }

            await archive.FinishAsync(cancellationToken);
        }
        finally
        {
            archive.Complete();
            await lookahead.DisposeAsync();
        }
    }

    private static async Task CopyAsync(
        IObjectReader reader,
        long rest,
        ObjectCheck? check,
        ArchiveWriter archive,
        ReleasingFlush flusher,
        RangeWriter? range,
        Lookahead lookahead,
        BundleRecord record,
        CancellationToken cancellationToken)
    {
        if (rest == 0)
        {
            Require(check, reader);
        }

        while (true)
        {
            lookahead.Fill(rest);
            var memory = rest > 0 ? archive.GetMemory() : default;
            var read = reader.ReadAsync(memory);
            var count = read.IsCompletedSuccessfully ? read.Result : await WaitAsync(read, record);
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

            archive.Advance(count);
            var flush = flusher.FlushAsync(reader, cancellationToken);
            if (!flush.IsCompletedSuccessfully)
            {
                reader.Pause();
                await flush;
                reader.GoOn();
            }

            if (range is { IsDone: true })
            {
                return;
            }
        }
    }

    /// <summary>Hashes what the client has already.</summary>
    private static async Task PassAsync(IObjectReader reader, long bytes, ObjectCheck check)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(PassBuffer);
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
    private static void Require(ObjectCheck? check, IObjectReader reader)
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

    private static async ValueTask<int> WaitAsync(ValueTask<int> read, BundleRecord record)
    {
        var waiting = read.AsTask();
        await record.WaitForUpstreamAsync(waiting);
        return await waiting;
    }

    private static async ValueTask<IObjectReader> NextAsync(Lookahead lookahead, BundleRecord record)
    {
        var next = lookahead.NextAsync();
        if (next.IsCompletedSuccessfully)
        {
            return next.Result;
        }

        var waiting = next.AsTask();
        await record.WaitForUpstreamAsync(waiting);
        return await waiting;
    }
}
