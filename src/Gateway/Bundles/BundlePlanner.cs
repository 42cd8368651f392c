using System.Collections.Concurrent;
using Gateway.Telemetry;
using Gateway.Upstreams;
using Microsoft.Extensions.Options;

namespace Gateway.Bundles;

/// <summary>Turns what was asked for into a plan: finds the sources, and asks them what the objects are.</summary>
internal sealed class BundlePlanner(SourceIndex sources, ObjectStore store, IOptions<BundleOptions> options)
{
    private readonly BundleOptions _options = options.Value;

    /// <summary>Finds the source of every entry.</summary>
    /// <exception cref="BundleRefusal">Ids that lead to no source.</exception>
    public BundlePlan Resolve(BundleRequest request, Caller caller)
    {
        var errors = new List<EntryError>();
        var entries = new List<PlannedEntry>(request.Entries.Count);
        foreach (var entry in request.Entries)
        {
            if (Locate(entry.Id, caller) is { } located)
            {
                entries.Add(new PlannedEntry(entries.Count, entry, located));
            }
            else
            {
                errors.Add(new(entries.Count + errors.Count, entry.Id, "the first segment of the id names no source"));
            }
        }

        return errors.Count == 0
            ? new BundlePlan(entries, request.Recipe, request.FileName)
            : throw BundleRefusal.BadRequest("Some ids lead to no source.", errors);
    }

    /// <summary>Asks for every head, as many at a time as are looked ahead, and compares them with the manifest.</summary>
    /// <exception cref="BundleRefusal">Every object that differs from the manifest; or the first failure of storage, after which
    /// asking for thousands more would only make the client wait.</exception>
    public async Task CheckAsync(BundlePlan plan, TransferCounters counters, CancellationToken cancellationToken)
    {
        var differences = new ConcurrentBag<EntryError>();
        var budget = new ByteBudget(_options.Upstream.LookaheadBytes);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _options.Upstream.Lookahead, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(plan.All, parallel, async (entry, token) =>
        {
            var declared = entry.Head;
            try
            {
                entry.Head = await DescribeAsync(entry, declared, counters, budget, token);
                entry.IsChecked = true;
            }
            catch (UpstreamException e) when (e.Stage == Stage.Missing)
            {
                entry.IsMissing = entry.IsChecked = true;
                return;
            }
            catch (UpstreamException e)
            {
                throw Failed(entry, e);
            }

            if (Difference(declared, entry.Head) is { } difference)
            {
                differences.Add(new(entry.Index, entry.Id, difference));
            }
        });

        if (!differences.IsEmpty)
        {
            throw new BundleRefusal(
                StatusCodes.Status409Conflict,
                "Some objects differ from the manifest.",
                Culprit.Client,
                Stage.Changed,
                [.. differences.OrderBy(error => error.Index)]);
        }
    }

    /// <summary>What the missing policy and the limits say of a checked plan.</summary>
    public void Require(BundlePlan plan, MissingPolicy missing)
    {
        if ((missing == MissingPolicy.Fail && plan.Skipped > 0) || plan.Entries.Count == 0)
        {
            throw new BundleRefusal(
                StatusCodes.Status404NotFound,
                "Some objects are missing.",
                Culprit.Client,
                Stage.Missing,
                [.. plan.All.Where(entry => entry.IsMissing).Select(entry => new EntryError(entry.Index, entry.Id, "no such object"))]);
        }

        if (_options.Limits.MaxBytes is > 0 and var most && plan.Size > most)
        {
            throw BundleRefusal.TooLarge($"The objects have {plan.Size} bytes together; {most} are the most.");
        }
    }

    private ObjectRequest? Locate(string id, Caller caller)
    {
        var slash = id.IndexOf('/');
        if (slash > 0 && sources.Find(id.AsSpan(0, slash)) is { } source)
        {
            return new ObjectRequest(source, id[(slash + 1)..], caller);
        }

        return _options.DefaultSource is { } name && sources.Find(name) is { } fallback ? new ObjectRequest(fallback, id, caller) : null;
    }

    private async Task<ObjectHead> DescribeAsync(
        PlannedEntry entry, ObjectHead? declared, TransferCounters counters, ByteBudget budget, CancellationToken cancellationToken)
    {
        var head = await store.HeadAsync(entry.Request, counters, cancellationToken);
        if ((head.Size ?? declared?.Size) is { } size)
        {
            return head with { Size = size };
        }

        // No length: a GET may tell it; if it does not, the object itself does.
        var reader = await store.OpenAsync(
            entry.Request, expected: null, opened => opened.Head.Size is null ? opened.LearnSizeAsync(budget) : Task.CompletedTask, counters, cancellationToken);
        if (reader.IsPreloaded)
        {
            entry.Opened = reader;
        }
        else
        {
            await reader.DisposeAsync();
        }

        return reader.Head;
    }

    private static string? Difference(ObjectHead? declared, ObjectHead actual) =>
        declared?.Size is { } size && size != actual.Size ? $"has {actual.Size} bytes, the manifest says {size}"
        : declared?.ETag is { } etag && etag != actual.ETag ? "has another etag than the manifest says"
        : null;

    private static BundleRefusal Failed(PlannedEntry entry, UpstreamException e) => new(
        e.StatusCode, "Storage failed.", Culprit.Upstream, e.Stage, [new(entry.Index, entry.Id, e.Message)], e.RetryAfter, e);
}
