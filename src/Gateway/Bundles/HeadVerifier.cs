using Gateway.Failures;
using Gateway.Responses;
using Gateway.Upstreams;

namespace Gateway.Bundles;

/// <summary>
/// Compares what HEAD has reported of objects with GET, while the client can still be told the truth. Some storage reports a length of 0,
/// another version, or nothing at all for HEAD.
/// </summary>
/// <remarks>Where an archive follows, the objects that are read first are opened and compared: as many as <see cref="Lookahead"/> would open.
/// Of a source whose HEAD was not compared before, one object is, for every kind of request. If HEAD is wrong, all that was planned
/// by it is planned again by GET.</remarks>
internal sealed class HeadVerifier(ObjectStore store)
{
    /// <summary>Compares and corrects.</summary>
    /// <param name="plan">What was planned.</param>
    /// <param name="ahead">Memory for objects that stay open; null if no archive follows from its beginning.</param>
    /// <param name="counters">Counts attempts and bytes.</param>
    /// <param name="cancellationToken">Ends everything, the later reading too.</param>
    /// <exception cref="BundleProblemException">An object cannot be read.</exception>
    public async Task VerifyAsync(BundlePlan plan, ByteBudget? ahead, TransferCounters counters, CancellationToken cancellationToken)
    {
        var first = ahead is null ? [] : FirstOf(plan, ahead.Total).Where(IsFromHead).ToHashSet();
        var samples = plan.All
            .Where(entry => IsFromHead(entry) && entry.Request.Source is { HasRightHead: false, HasWrongHead: false })
            .ExceptBy(first.Select(entry => entry.Request.Source), entry => entry.Request.Source);
        await ForEachAsync([.. first, .. samples], entry => first.Contains(entry) ? OpenAsync(entry) : CompareWithGetAsync(entry));

        await ForEachAsync(
            [.. plan.All.Where(entry => IsFromHead(entry) && entry.Request.Source.HasWrongHead)],
            entry => PlanByGetAsync(entry, counters, cancellationToken));

        async Task OpenAsync(PlannedEntry entry)
        {
            entry.Opened = await store.OpenAnyVersionAsync(entry.Request, entry.Head!.Size, reader => reader.PrepareAsync(ahead!, store.Options.SmallObject), counters, cancellationToken);
            await CompareAsync(entry, entry.Opened.Head, counters, cancellationToken);
        }

        async Task CompareWithGetAsync(PlannedEntry entry) =>
            await CompareAsync(entry, await store.GetHeadAsync(entry.Request, counters, cancellationToken), counters, cancellationToken);
    }

    /// <summary>Plans one object again by GET.</summary>
    public Task CorrectAsync(PlannedEntry entry, TransferCounters counters, CancellationToken cancellationToken) =>
        ForEachAsync([entry], entry => PlanByGetAsync(entry, counters, cancellationToken));

    private async Task PlanByGetAsync(PlannedEntry entry, TransferCounters counters, CancellationToken cancellationToken) =>
        entry.Head = Known(await store.GetHeadAsync(entry.Request, counters, cancellationToken), entry.Head!);

    private IEnumerable<PlannedEntry> FirstOf(BundlePlan plan, long bytes)
    {
        var before = 0L;
        foreach (var entry in plan.All.Where(entry => !entry.IsMissing).Take(store.Options.Lookahead))
        {
            if (before > 0 && before >= bytes)
            {
                yield break;
            }

            yield return entry;
            before += entry.Head!.Size!.Value;
        }
    }

    private static bool IsFromHead(PlannedEntry entry) => entry is { IsMissing: false, Opened: null, Head.IsFromHead: true };

    /// <summary>What GET has said, and the length that only HEAD has said.</summary>
    private static ObjectHead Known(ObjectHead get, ObjectHead head) => get with { Size = get.Size ?? head.Size };

    private async Task CompareAsync(PlannedEntry entry, ObjectHead get, TransferCounters counters, CancellationToken cancellationToken)
    {
        var head = entry.Head!;
        if (head.ETag is not null && get.ETag is null)
        {
            ObjectAnswer.RequirePlanned(get, head);
        }

        if (ObjectAnswer.AreEqual(head, get))
        {
            entry.Request.Source.HasRightHead = true;
        }
        else if (ObjectAnswer.AreEqual(head, await store.HeadAsync(entry.Request, counters, cancellationToken)))
        {
            // The object has not changed since: HEAD is wrong.
            entry.Request.Source.HasWrongHead = true;
        }

        entry.Head = Known(get, head);
    }

    private async Task ForEachAsync(PlannedEntry[] entries, Func<PlannedEntry, Task> act)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = store.Options.MostAtOnce };
        await Parallel.ForEachAsync(entries, parallel, async (entry, _) =>
        {
            try
            {
                await act(entry);
            }
            catch (StorageException e) when (e.Reason == FailureReason.NotFound)
            {
                entry.IsMissing = true;
            }
            catch (StorageException e)
            {
                throw BundlePlanner.Failed((entry, e));
            }
        });
    }
}
