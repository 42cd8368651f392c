using System.Diagnostics;
using System.IO.Pipelines;
using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Gateway.Resuming;
using Gateway.Upstreams;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>The hot loop: objects in order, from storage into the archive.</summary>
internal sealed class BundleStreamer(ObjectStore store, IOptions<BundleOptions> options)
{
    private readonly int _workers = options.Value.Compression.MostWorkers;
    private readonly long _maxBytes = options.Value.Limits.MaxBytes;

    /// <summary>Streams a plan and ends the archive. Every exception leaves it without its end.</summary>
    /// <param name="plan">What to send.</param>
    /// <param name="start">Where to begin.</param>
    /// <param name="known">Learns from where the archive can be continued.</param>
    /// <param name="ahead">Memory for what is read before its turn.</param>
    /// <param name="output">Where the archive goes; a range that has been written ends the streaming.</param>
    /// <param name="record">Follows how far it came.</param>
    /// <param name="cancellationToken">Client gone, or time to stop.</param>
    public async Task StreamAsync(
        BundlePlan plan, ArchiveStart start, KnownArchive known, AheadMemory ahead, PipeWriter output, BundleRecord record, CancellationToken cancellationToken)
    {
        var range = output as RangeWriter;
        var archive = plan.Layout is { } layout
            ? ArchiveWriter.Continue(layout, output, start, _workers, known.Trail)
            : ArchiveWriter.Create(plan.Recipe, output, _workers);
        var lookahead = new Lookahead(plan.Entries, start, store, ahead, record.Transfer, cancellationToken);
        try
        {
            // The format's first bytes leave before storage is asked for anything.
            await archive.FlushAsync(cancellationToken);
            var left = _maxBytes > 0 ? _maxBytes : long.MaxValue;
            if (start.IsBodyDone)
            {
                archive.StartEntry(plan.Layout!.Entries[start.Entry]);
                archive.EndEntry();
            }

            for (var i = start.FirstBody; i < plan.Entries.Count && range is not { IsDone: true }; i++)
            {
                var entry = plan.Entries[i];
                record.EntryIndex = entry.Index;
                await using var reader = await NextAsync(lookahead, record);
                var size = reader.Head.Size!.Value;
                left -= size;
                if (left < 0)
                {
                    throw BundleRefusal.TooLarge($"The objects have more than {_maxBytes} bytes together.");
                }

                // As planned: what was announced must be what is sent.
                archive.StartEntry(plan.Layout?.Entries[i] ?? new ArchiveEntry(entry.Name, size, reader.Head.Modified));
                var rest = i == start.Entry ? size - start.BodyOffset : size;
                await CopyAsync(reader, rest, archive, range, lookahead, record, cancellationToken);
                if (range is { IsDone: true })
                {
                    break;
                }

                archive.EndEntry();
                await archive.FlushAsync(cancellationToken);
                record.EntriesSent++;
            }

            record.EntryIndex = null;
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
        ObjectReader reader, long rest, ArchiveWriter archive, RangeWriter? range, Lookahead lookahead, BundleRecord record, CancellationToken cancellationToken)
    {
        while (true)
        {
            lookahead.Fill(rest);
            var read = reader.ReadAsync(rest > 0 ? archive.GetMemory() : default);
            var count = read.IsCompletedSuccessfully ? read.Result : await WaitAsync(read, record);
            if (count == 0)
            {
                return;
            }

            archive.Advance(count);
            rest -= count;
            var flush = archive.FlushAsync(cancellationToken);
            if (!flush.IsCompletedSuccessfully)
            {
                await flush;
            }

            if (range is { IsDone: true })
            {
                return;
            }
        }
    }

    private static async ValueTask<int> WaitAsync(ValueTask<int> read, BundleRecord record)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            return await read;
        }
        finally
        {
            record.UpstreamWaited += Stopwatch.GetElapsedTime(started);
        }
    }

    private static async ValueTask<ObjectReader> NextAsync(Lookahead lookahead, BundleRecord record)
    {
        var next = lookahead.NextAsync();
        if (next.IsCompletedSuccessfully)
        {
            return next.Result;
        }

        var started = Stopwatch.GetTimestamp();
        try
        {
            return await next;
        }
        finally
        {
            record.UpstreamWaited += Stopwatch.GetElapsedTime(started);
        }
    }
}
