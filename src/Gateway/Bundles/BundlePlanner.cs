using System.Collections.Concurrent;
using Gateway.Failures;
using Gateway.Responses;
using Gateway.Upstreams;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>Turns what was asked for into a plan: finds the sources, and asks them what the objects are.</summary>
internal sealed class BundlePlanner(SourceIndex sources, ObjectStore store, HeadVerifier heads, IOptions<BundleOptions> options)
{
    private readonly BundleOptions _options = options.Value;

    /// <summary>Finds the source of every entry.</summary>
    /// <exception cref="BundleProblemException">Ids that lead to no source, or to an object that another route serves.</exception>
    public async Task<BundlePlan> ResolveAsync(BundleRequest request, Caller caller)
    {
        var errors = new List<EntryError>();
        var entries = new List<PlannedEntry>(request.Entries.Count);
        foreach (var entry in request.Entries)
        {
            var index = entries.Count + errors.Count;
            if (Locate(entry, caller) is not { } located)
            {
                errors.Add(new(index, entry.Id, "the first segment of the id names no source"));
            }
            else if (located.Key.Length == 0)
            {
                errors.Add(new(index, entry.Id, "the id names a source but no key"));
            }
            else if (!await located.Source.ServesAsync(located.Key, caller))
            {
                errors.Add(new(index, entry.Id, "another route serves this path, so the object is not part of the source"));
            }
            else
            {
                entries.Add(new PlannedEntry(index, entry, located));
            }
        }

        return errors.Count == 0
            ? new BundlePlan(entries, request.Recipe, request.FileName, request.HasReceipt)
            : throw BundleProblemException.BadRequest("Some ids lead to no source.", errors);
    }

    /// <summary>
    /// Asks what every object is, many at a time, and compares that with the manifest. Objects that are likely to be small are
    /// asked for whole, as long as there is memory for them: then the one request was all they cost.
    /// </summary>
    /// <param name="plan">What to ask for.</param>
    /// <param name="ahead">Memory for objects; null when no archive follows and heads are enough.</param>
    /// <param name="discovery">Memory for objects whose size only their bytes tell; asked for when there is one.</param>
    /// <param name="counters">Counts tries and bytes.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    /// <exception cref="BundleProblemException">Every object that storage refuses, or every object that differs from the manifest; or the
    /// first failure that may pass, after which asking for thousands more would only make the client wait.</exception>
    public async Task CheckAsync(BundlePlan plan, ByteBudget? ahead, Lazy<Task<ByteBudget>> discovery, TransferCounters counters, CancellationToken cancellationToken)
    {
        if (ahead is null && plan.DecoderMemory > 0)
        {
            // An archive has leased it already.
            await discovery.Value;
        }

        var differences = new ConcurrentBag<EntryError>();
        var refusals = new ConcurrentBag<(PlannedEntry Entry, StorageException Failure)>();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _options.Upstream.MostAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(plan.All, parallel, async (entry, token) =>
        {
            var declared = entry.Head;
            try
            {
                entry.Head = await DescribeAsync(entry, declared, ahead, discovery, counters, token);
                entry.IsChecked = true;
                entry.Request.Source.LastSize = (entry.Head.Stored ?? entry.Head).Size!.Value;
            }
            catch (StorageException e) when (e.Reason == FailureReason.NotFound)
            {
                entry.IsMissing = entry.IsChecked = true;
                return;
            }
            catch (StorageException e) when (e.Reason.Retry == RetryScope.None)
            {
                refusals.Add((entry, e));
                return;
            }
            catch (StorageException e)
            {
                throw Failed((entry, e));
            }

            if (entry.Head.IsFromHead && Difference(declared, entry) is not null)
            {
                // Not all storage gives HEAD correctly, and the client shall not be blamed for it.
                await heads.CorrectAsync(entry, counters, token);
            }

            if (!entry.IsMissing && Difference(declared, entry) is { } difference)
            {
                differences.Add(new(entry.Index, entry.Id, difference));
            }
        });

        await RequireReadableAsync(plan, [.. refusals.OrderBy(refusal => refusal.Entry.Index)], counters, cancellationToken);
        if (!differences.IsEmpty)
        {
            throw BundleProblemException.From(
                FailureReason.ObjectsDiffer,
                [.. differences.OrderBy(error => error.Index)]);
        }

        await heads.VerifyAsync(plan, ahead, counters, cancellationToken);
    }

    /// <summary>What storage refuses is an error; or a missing object, where its source says that 403 means so. Not if every object of the
    /// source is forbidden, and not if one that was found is forbidden now: then a credential has expired.</summary>
    /// <exception cref="BundleProblemException">Every object that storage refuses.</exception>
    private async Task RequireReadableAsync(
        BundlePlan plan, (PlannedEntry Entry, StorageException Failure)[] refusals, TransferCounters counters, CancellationToken cancellationToken)
    {
        if (refusals.Length == 0)
        {
            return;
        }

        var found = plan.All.Where(entry => entry is { IsChecked: true, IsMissing: false }).DistinctBy(entry => entry.Request.Source).ToDictionary(entry => entry.Request.Source);
        var refused = refusals.Where(refusal => !IsHidden(refusal.Entry, refusal.Failure)).ToArray();
        if (refused.Length > 0)
        {
            throw Failed(refused);
        }

        foreach (var source in refusals.Select(refusal => refusal.Entry.Request.Source).Distinct())
        {
            await heads.CorrectAsync(found[source], counters, cancellationToken);
        }

        foreach (var (entry, _) in refusals)
        {
            entry.IsMissing = entry.IsChecked = true;
        }

        bool IsHidden(PlannedEntry entry, StorageException failure) =>
            failure.UpstreamStatusCode == StatusCodes.Status403Forbidden
            && failure.Reason == FailureReason.Denied
            && entry.Request.Source.ForbiddenIsMissing
            && found.ContainsKey(entry.Request.Source);
    }

    /// <summary>What the missing policy and the limits say of a checked plan.</summary>
    public void Require(BundlePlan plan, MissingPolicy missing)
    {
        if ((missing == MissingPolicy.Fail && plan.Skipped > 0) || plan.Entries.Count == 0)
        {
            throw BundleProblemException.From(
                FailureReason.ObjectsMissing,
                [.. plan.All.Where(entry => entry.IsMissing).Select(entry => new EntryError(entry.Index, entry.Id, "no such object"))]);
        }

        if (_options.Limits.MaxBytes is > 0 and var most && plan.Size > most)
        {
            throw BundleProblemException.TooLarge($"The objects have {plan.Size} bytes together; {most} are the most.");
        }
    }

    private ObjectRequest? Locate(RequestedEntry entry, Caller caller)
    {
        var id = entry.Id;
        var slash = id.IndexOf('/');
        var (source, key) = slash > 0 && sources.Find(id.AsSpan(0, slash)) is { } named ? (named, id[(slash + 1)..])
            : _options.DefaultSource is { } name ? (sources.Find(name), id)
            : (null, id);
        return source is null ? null : new ObjectRequest(source, key, caller) { IsExact = entry.IsExact };
    }

    private async Task<ObjectHead> DescribeAsync(
        PlannedEntry entry, ObjectHead? declared, ByteBudget? ahead, Lazy<Task<ByteBudget>> discovery, TransferCounters counters, CancellationToken cancellationToken)
    {
        var guess = declared?.Size ?? entry.Request.Source.LastSize;
        if (ahead is not null && guess <= _options.Upstream.SmallObject && ahead.TryTake(guess))
        {
            return await ReadAsync(entry, declared, guess, ahead, keepsFirst: true, counters, cancellationToken);
        }

        var head = await store.HeadAsync(entry.Request, counters, cancellationToken);
        return (head.Size ?? declared?.Size) is { } size
            ? head with { Size = size, IsFromHead = head is { IsFromHead: true, Size: not null } }
            : await ReadAsync(entry, declared, 0, ahead ?? await discovery.Value, keepsFirst: ahead is not null, counters, cancellationToken); // a GET may tell the length; if not, the object itself does
    }

    /// <summary>Asks for the object itself, and keeps it if it fits into memory or is what the archive begins with.</summary>
    private async Task<ObjectHead> ReadAsync(
        PlannedEntry entry, ObjectHead? declared, long guess, ByteBudget budget, bool keepsFirst, TransferCounters counters, CancellationToken cancellationToken)
    {
        IObjectReader reader;
        try
        {
            reader = await store.OpenAnyVersionAsync(entry.Request, null, PrepareAsync, counters, cancellationToken);
        }
        finally
        {
            ReturnGuess();
        }

        if (reader.IsPreloaded || (keepsFirst && entry.Index == 0 && reader.Head.Size is not null))
        {
            entry.Opened = reader;
            return reader.Head;
        }

        await using (reader)
        {
            if ((reader.Head.Size ?? declared?.Size) is { } size)
            {
                return reader.Head with { Size = size };
            }

            await reader.LearnSizeAsync(budget);
            return reader.Head;
        }

        Task PrepareAsync(ObjectReader opened)
        {
            ReturnGuess();
            return opened.PrepareAsync(budget, _options.Upstream.SmallObject);
        }

        void ReturnGuess() => budget.Return(Interlocked.Exchange(ref guess, 0));
    }

    private static string? Difference(ObjectHead? declared, PlannedEntry entry)
    {
        var actual = entry.Head!;
        return declared?.Size is { } size && size != actual.Size ? $"has {actual.Size} bytes, the manifest says {size}"
            : declared?.ETag is { } etag && etag != actual.ETag ? "has another etag than the manifest says"
            : entry.Sha256 is { } sha256 && Sha256Of(entry) is { } known && !sha256.AsSpan().SequenceEqual(known) ? "has another sha256 than the manifest says"
            : null;
    }

    /// <summary>That of the object's bytes, if they are in memory; otherwise what storage reports.</summary>
    private static byte[]? Sha256Of(PlannedEntry entry) => entry.Opened is ObjectReader { IsPreloaded: true } opened ? opened.HashMemory() : entry.Head!.Checksums?.Sha256;

    /// <summary>Storage failed before anything was sent.</summary>
    public static BundleProblemException Failed(params (PlannedEntry Entry, StorageException Failure)[] failures) => new(
        failures[0].Failure.Reason.StatusCode,
        failures[0].Failure.Reason.StatusCode >= StatusCodes.Status500InternalServerError ? "Storage failed." : "Some entries cannot be bundled.",
        failures[0].Failure.Reason,
        [.. failures.Select(failure => new EntryError(failure.Entry.Index, failure.Entry.Id, failure.Failure.Message))],
        failures[0].Failure.RetryAfter,
        failures[0].Failure);
}
