using System.Collections.Concurrent;
using Gateway.Admission;
using Gateway.Plans;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage;
using Gateway.Storage.Failures;
using Gateway.Storage.Sources;
using Microsoft.Extensions.Options;

namespace Gateway.Planning;

/// <summary>Turns a request into a plan: finds the sources, and asks them what the objects are.</summary>
internal sealed class BundlePlanner(
    SourceIndex sources,
    ObjectProber prober,
    HeadVerifier heads,
    FolderExpander folders,
    IOptions<UpstreamOptions> upstream,
    IOptions<CompressionOptions> compression,
    IOptions<LimitOptions> limits)
{
    private readonly int _maxAtOnce = upstream.Value.MaxConcurrentOpens;
    private readonly long _maxBytes = limits.Value.MaxBytes;

    /// <summary>Finds the source of every entry.</summary>
    /// <exception cref="BundleProblemException">Ids that lead to no source, or to an object that another route serves.</exception>
    public async Task<ResolvedBundle> ResolveAsync(BundleRequest request, ClientContext client)
    {
        var errors = new List<EntryError>();
        var entries = new List<ResolvedEntry>(request.Entries.Count);
        foreach (var entry in request.Entries)
        {
            var index = entries.Count + errors.Count;
            if (sources.Locate(entry.Id) is not { } located)
            {
                errors.Add(new(index, entry.Id, "the first segment of the id names no source"));
            }
            else if (entry.IsFolder && !located.Source.CanList)
            {
                errors.Add(new(index, entry.Id, $"source '{located.Source.Name}' does not allow listing"));
            }
            else if (located.Key.Length == 0 && !entry.IsFolder)
            {
                errors.Add(new(index, entry.Id, "the id names a source but no key"));
            }
            else if (!await located.Source.ServesAsync(located.Key, client))
            {
                errors.Add(new(index, entry.Id, "another route serves this path, so the object is not part of the source"));
            }
            else
            {
                entries.Add(new ResolvedEntry(index, entry, new ObjectRequest(located.Source, located.Key, client) { IsExact = entry.IsExact, Version = entry.Version }));
            }
        }

        return errors.Count == 0
            ? new ResolvedBundle(request, entries)
            : throw BundleProblemException.BadRequest("Some ids lead to no source.", errors);
    }

    /// <summary>What an archive of a request needs, before storage was asked.</summary>
    public ArchiveMemory GetMemory(ResolvedBundle bundle) => bundle.GetMemory(upstream.Value, compression.Value.MaxWorkers);

    /// <summary>Makes the plan. Storage is asked what every object is, unless a missing one may cut the archive.</summary>
    /// <remarks>Objects that are likely to be small are requested whole, as long as there is memory for them: then the one request is all that they cost.</remarks>
    /// <exception cref="BundleProblemException">Every object that storage refuses, or every object that differs from the manifest; or the
    /// first failure that may pass, after which asking for thousands more would only make the client wait.</exception>
    public async Task<BundlePlan> CreatePlanAsync(BundleRun run)
    {
        if (run.Bundle!.HasFolders)
        {
            run.Bundle = await run.Record.WaitForUpstreamAsync(folders.ExpandAsync(run.Bundle, run));
            run.RequestedEntries = run.Bundle.Entries.Count;
        }

        var bundle = run.Bundle;
        return bundle.Request.Missing == MissingPolicy.Abort && run.Operation is not (BundleOperation.Plan or BundleOperation.Link)
            ? BundlePlan.Create(bundle.Request, [.. bundle.Entries.Select(PlannedEntry.From)])
            : await run.Record.WaitForUpstreamAsync(CheckAsync(run, bundle));
    }

    /// <summary>What the missing policy and the limits demand of a checked plan.</summary>
    /// <exception cref="BundleProblemException">404 or 413.</exception>
    public void Require(BundlePlan plan)
    {
        if ((plan.Request.Missing == MissingPolicy.Fail && plan.Skipped > 0) || plan.Entries.Count == 0)
        {
            throw BundleProblemException.From(
                FailureReason.ObjectsMissing,
                [.. plan.All.Where(entry => entry.IsMissing).Select(entry => new EntryError(entry.RequestIndex, entry.Id, "no such object"))]);
        }

        if (_maxBytes > 0 && plan.Size > _maxBytes)
        {
            throw BundleProblemException.TooLarge($"The objects have {plan.Size} bytes together; at most {_maxBytes} are allowed.");
        }
    }

    private async Task<BundlePlan> CheckAsync(BundleRun run, ResolvedBundle bundle)
    {
        var memory = new ProbeMemory(run, bundle);
        await memory.LeaseDecodersAsync();
        var probes = bundle.Entries.Select(entry => new EntryProbe(entry)).ToArray();
        var differences = new ConcurrentBag<EntryError>();
        var refusals = new ConcurrentBag<(EntryProbe Probe, StorageException Failure)>();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _maxAtOnce, CancellationToken = run.Stopped };
        await Parallel.ForEachAsync(probes, parallel, async (probe, token) =>
        {
            if (probe.IsMissing || probe.Head is { ETag: not null })
            {
                // A listing has described it.
                return;
            }

            try
            {
                await prober.ProbeAsync(probe, run, memory, token);
            }
            catch (StorageException e) when (e.Reason == FailureReason.NotFound)
            {
                probe.IsMissing = true;
            }
            catch (StorageException e) when (e.Reason.Retry == RetryScope.None)
            {
                refusals.Add((probe, e));
                return;
            }
            catch (StorageException e)
            {
                throw BundleProblemException.FromStorage((probe.ToError(e.Message), e));
            }

            if (await prober.FindDifferenceAsync(probe, run, token) is { } difference)
            {
                differences.Add(probe.ToError(difference));
            }
        });

        await RequireReadableAsync(probes, [.. refusals.OrderBy(refusal => refusal.Probe.Index)], run);
        if (!differences.IsEmpty)
        {
            throw BundleProblemException.From(FailureReason.ObjectsDiffer, [.. differences.OrderBy(error => error.Index)]);
        }

        await heads.VerifyAsync(probes, run, memory.Prefetch);
        return BundlePlan.Create(bundle.Request, [.. probes.Select(probe => probe.ToPlanned())]);
    }

    /// <summary>What storage refuses is an error; or a missing object, where its source says that 403 means so. Not if every object of the
    /// source is forbidden, and not if one that was found is forbidden now: then a credential has expired.</summary>
    /// <exception cref="BundleProblemException">Every object that storage refuses.</exception>
    private async Task RequireReadableAsync(EntryProbe[] probes, (EntryProbe Probe, StorageException Failure)[] refusals, BundleRun run)
    {
        if (refusals.Length == 0)
        {
            return;
        }

        var found = probes.Where(probe => probe is { Head: not null, IsMissing: false }).DistinctBy(probe => probe.Source).ToDictionary(probe => probe.Source);
        var refused = refusals.Where(refusal => !IsHidden(refusal.Probe, refusal.Failure)).ToArray();
        if (refused.Length > 0)
        {
            throw BundleProblemException.FromStorage([.. refused.Select(refusal => (refusal.Probe.ToError(refusal.Failure.Message), refusal.Failure))]);
        }

        foreach (var source in refusals.Select(refusal => refusal.Probe.Source).Distinct())
        {
            await heads.CorrectAsync(found[source], run, run.Stopped);
        }

        foreach (var (probe, _) in refusals)
        {
            probe.IsMissing = true;
        }

        bool IsHidden(EntryProbe probe, StorageException failure) =>
            failure.UpstreamStatusCode == StatusCodes.Status403Forbidden
            && failure.Reason == FailureReason.Denied
            && probe.Source.ForbiddenIsMissing
            && found.ContainsKey(probe.Source);
    }
}
