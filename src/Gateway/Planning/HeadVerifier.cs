using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage.Failures;
using Gateway.Storage.Objects;

namespace Gateway.Planning;

/// <summary>
/// Compares what HEAD reported of objects with GET, while the client can still get an error. Some storage reports a length of 0,
/// another version, or nothing at all for HEAD.
/// </summary>
/// <remarks>Where an archive follows, the objects that are read first are opened and compared: as many as <c>Prefetcher</c> would open.
/// Of a source whose HEAD was not compared before, one object is, for every kind of request. If HEAD is wrong, all that was planned
/// by it is planned again by GET.</remarks>
internal sealed class HeadVerifier(ObjectStore store)
{
    /// <summary>Compares and corrects.</summary>
    /// <param name="probes">What HEAD or GET reported of every entry.</param>
    /// <param name="run">Keeps the objects that stay open.</param>
    /// <param name="prefetch">Memory for objects that stay open; null if no archive follows from its beginning.</param>
    /// <exception cref="BundleProblemException">An object cannot be read.</exception>
    public async Task VerifyAsync(EntryProbe[] probes, BundleRun run, ByteBudget? prefetch)
    {
        var first = prefetch is null ? [] : GetFirst(probes, prefetch.Total).Where(IsFromHead).ToHashSet();
        var samples = probes
            .Where(probe => IsFromHead(probe) && probe.Source is { IsHeadRight: false, IsHeadWrong: false })
            .ExceptBy(first.Select(probe => probe.Source), probe => probe.Source);
        await ForEachAsync([.. first, .. samples], probe => first.Contains(probe) ? OpenAsync(probe) : CompareWithGetAsync(probe));
        await ForEachAsync([.. probes.Where(probe => IsFromHead(probe) && probe.Source.IsHeadWrong)], probe => PlanByGetAsync(probe, run, run.Stopped));

        async Task OpenAsync(EntryProbe probe)
        {
            var reader = await store.OpenAnyVersionAsync(
                probe.Object, probe.Head!.Size, reader => reader.PrepareAsync(prefetch!, store.Options.SmallObject), run.Record.Transfer, run.Stopped);
            run.Opened.Add(probe.Index, reader);
            await CompareAsync(probe, reader.Head, run);
        }

        async Task CompareWithGetAsync(EntryProbe probe) =>
            await CompareAsync(probe, await store.GetHeadAsync(probe.Object, run.Record.Transfer, run.Stopped), run);

        bool IsFromHead(EntryProbe probe) => probe is { IsMissing: false, Head.IsFromHead: true } && run.Opened.Find(probe.Index) is null;
    }

    /// <summary>Plans one object again by GET.</summary>
    /// <exception cref="BundleProblemException">The object cannot be read.</exception>
    public Task CorrectAsync(EntryProbe probe, BundleRun run, CancellationToken cancellationToken) =>
        ForEachAsync([probe], probe => PlanByGetAsync(probe, run, cancellationToken));

    private async Task PlanByGetAsync(EntryProbe probe, BundleRun run, CancellationToken cancellationToken) =>
        probe.Head = Merge(await store.GetHeadAsync(probe.Object, run.Record.Transfer, cancellationToken), probe.Head!);

    private IEnumerable<EntryProbe> GetFirst(EntryProbe[] probes, long bytes)
    {
        var before = 0L;
        foreach (var probe in probes.Where(probe => !probe.IsMissing).Take(store.Options.Lookahead))
        {
            if (before > 0 && before >= bytes)
            {
                yield break;
            }

            yield return probe;
            before += probe.Head!.Size!.Value;
        }
    }

    /// <summary>What GET reported, and the length that only HEAD reported.</summary>
    private static ObjectHead Merge(ObjectHead get, ObjectHead head) => get with { Size = get.Size ?? head.Size };

    private async Task CompareAsync(EntryProbe probe, ObjectHead get, BundleRun run)
    {
        var head = probe.Head!;
        if (head.ETag is not null && get.ETag is null)
        {
            get.RequirePlanned(head);
        }

        if (head.IsSameAs(get))
        {
            probe.Source.IsHeadRight = true;
        }
        else if (head.IsSameAs(await store.HeadAsync(probe.Object, run.Record.Transfer, run.Stopped)))
        {
            // The object has not changed since: HEAD is wrong.
            probe.Source.IsHeadWrong = true;
        }

        probe.Head = Merge(get, head);
    }

    private async Task ForEachAsync(EntryProbe[] probes, Func<EntryProbe, Task> act)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = store.Options.MaxConcurrentOpens };
        await Parallel.ForEachAsync(probes, parallel, async (probe, _) =>
        {
            try
            {
                await act(probe);
            }
            catch (StorageException e) when (e.Reason == FailureReason.NotFound)
            {
                probe.IsMissing = true;
            }
            catch (StorageException e)
            {
                throw BundleProblemException.FromStorage((probe.ToError(e.Message), e));
            }
        });
    }
}
