using Gateway.Runs;
using Gateway.Storage.Failures;
using Gateway.Storage.Objects;

namespace Gateway.Planning;

/// <summary>Asks storage what one object is, by HEAD, or by GET where that costs no more.</summary>
internal sealed class ObjectProber(ObjectStore store, HeadVerifier heads)
{
    /// <summary>Fills in what storage reports. A small object may stay open in the run.</summary>
    /// <exception cref="StorageException">It is not there, or storage fails.</exception>
    public async Task ProbeAsync(EntryProbe probe, BundleRun run, ProbeMemory memory, CancellationToken cancellationToken)
    {
        probe.Head = await DescribeAsync(probe, run, memory, cancellationToken);
        probe.Source.LastSize = (probe.Head.Stored ?? probe.Head).Size!.Value;
    }

    /// <summary>What the manifest states of an object and what is not so; null when nothing differs, or when the object is missing.</summary>
    public async Task<string?> FindDifferenceAsync(EntryProbe probe, BundleRun run, CancellationToken cancellationToken)
    {
        if (probe is { IsMissing: false, Head.IsFromHead: true } && Find() is not null)
        {
            // Some storage reports wrong values for HEAD, and the client must not be blamed for it.
            await heads.CorrectAsync(probe, run, cancellationToken);
        }

        return probe.IsMissing ? null : Find();

        string? Find() => probe.FindDifference(() => run.Opened.Find(probe.Index)?.HashPreloaded() ?? probe.Head!.Checksums?.Sha256);
    }

    private async Task<ObjectHead> DescribeAsync(EntryProbe probe, BundleRun run, ProbeMemory memory, CancellationToken cancellationToken)
    {
        var guess = probe.Declared?.Size ?? probe.Source.LastSize;
        if (memory.Prefetch is { } prefetch && guess <= store.Options.SmallObject && prefetch.TryTake(guess))
        {
            return await ReadAsync(probe, run, memory, guess, cancellationToken);
        }

        var head = await store.HeadAsync(probe.Object, run.Record.Transfer, cancellationToken);
        if ((head.Size ?? probe.Declared?.Size) is { } size)
        {
            return head with { Size = size, IsFromHead = head is { IsFromHead: true, Size: not null } };
        }

        // A GET may tell the length; if not, the object itself does.
        return await ReadAsync(probe, run, memory, guess: 0, cancellationToken);
    }

    /// <summary>Requests the object itself, and keeps it open if it fits into memory or is what the archive begins with.</summary>
    /// <param name="probe">The object.</param>
    /// <param name="run">Keeps it.</param>
    /// <param name="memory">Memory for it.</param>
    /// <param name="guess">Bytes that were taken from <see cref="ProbeMemory.Prefetch"/> for it; they are returned.</param>
    /// <param name="cancellationToken">Cancels everything.</param>
    private async Task<ObjectHead> ReadAsync(EntryProbe probe, BundleRun run, ProbeMemory memory, long guess, CancellationToken cancellationToken)
    {
        var budget = memory.Prefetch ?? await memory.GetDiscoveryAsync();
        IObjectReader reader;
        try
        {
            reader = await store.OpenAnyVersionAsync(probe.Object, null, PrepareAsync, run.Record.Transfer, cancellationToken);
        }
        finally
        {
            ReturnGuess();
        }

        if (reader.IsPreloaded || (memory.Prefetch is not null && probe.Index == 0 && reader.Head.Size is not null))
        {
            run.Opened.Add(probe.Index, reader);
            return reader.Head;
        }

        await using (reader)
        {
            if ((reader.Head.Size ?? probe.Declared?.Size) is { } size)
            {
                return reader.Head with { Size = size };
            }

            await reader.LearnSizeAsync(budget);
            return reader.Head;
        }

        Task PrepareAsync(IObjectReader opened)
        {
            ReturnGuess();
            return opened.PrepareAsync(budget, store.Options.SmallObject);
        }

        void ReturnGuess() => budget.Return(Interlocked.Exchange(ref guess, 0));
    }
}
