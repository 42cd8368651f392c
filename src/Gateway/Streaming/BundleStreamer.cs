using System.IO.Pipelines;
using Gateway.Responses;
using Gateway.Resuming;
using Gateway.Runs;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;

namespace Gateway.Streaming;

/// <summary>Decides which bytes of an archive a client gets, and streams them.</summary>
internal sealed class BundleStreamer(ArchiveMaker maker, RangeStreamer ranges, ResumeStateCache states)
{
    /// <summary>Decides which bytes are sent. To tell a browser the length of the whole, the rest of the archive may have to be made first.</summary>
    /// <exception cref="BundleProblemException">416, or 505.</exception>
    public async Task<ByteSelection> SelectAsync(BundleRun run, PreconditionResult conditions)
    {
        var (plan, request) = (run.Plan!, run.Http.Request);
        var length = plan.Layout?.Length ?? run.State!.End?.Length;
        var range = Find();
        if (range is { End: null } && RequestedRange.NeedsLength(request))
        {
            // The rest is made twice: once to learn how long the archive is. Where that takes too long, the client gets all of it again.
            length = await ranges.MeasureAsync(run);
            range = length is null ? null : Find();
        }

        var selection = new ByteSelection(range, length);
        RequireVisibleEnd(request, selection);
        return selection;

        ByteRange? Find() => RequestedRange.IsPresent(request) && conditions == PreconditionResult.Proceed
            ? RequestedRange.From(request, plan.ETag, length, plan.Layout?.MaxLength)
            : null;
    }

    /// <summary>Streams the selected bytes.</summary>
    public Task StreamAsync(BundleRun run, ByteSelection selection)
    {
        if (run.Plan!.Layout?.Length is null)
        {
            // Only remembered, or measured a moment ago.
            run.Body.ExpectedLength = selection.Count;
        }

        return selection.Range is { } part ? ranges.StreamAsync(run, part) : StreamWholeAsync(run);
    }

    /// <summary>HTTP/1.0 ends a body of unknown length by closing the connection, so a truncated archive would look whole.</summary>
    private static void RequireVisibleEnd(HttpRequest request, ByteSelection selection)
    {
        if (selection.End is null && (HttpProtocol.IsHttp10(request.Protocol) || HttpProtocol.IsHttp09(request.Protocol)))
        {
            throw new BundleProblemException(
                StatusCodes.Status505HttpVersionNotsupported,
                "The length of this archive is not known in advance. Over HTTP/1.0 the client could not tell a truncated archive from a whole one. "
                + "Use HTTP/1.1 or later; a proxy in front needs 'proxy_http_version 1.1' (nginx) or the like. Or request format=tar or compression=store, whose length is known.",
                FailureReason.InvalidRequest);
        }
    }

    private async Task StreamWholeAsync(BundleRun run)
    {
        // Over HTTP/1.1 the server has no trailers; the digest is then in the headers of the next response.
        // A digest that another replica has computed is compared before the last byte leaves.
        var (response, state, end) = (run.Http.Response, run.State!, run.State!.End);
        using var digest = (end?.Sha256 is null ? ReprDigest.IsRequested(run.Http.Request) : end.IsHashFromReplica) ? new DigestWriter(run.Body) : null;
        var hasTrailer = digest is not null && end?.Sha256 is null && response.SupportsTrailers();
        if (hasTrailer)
        {
            response.DeclareTrailer(ReprDigest.Header);
        }

        await response.StartAsync(run.Stopped);
        try
        {
            await maker.MakeAsync(run, default, (PipeWriter?)digest ?? run.Body, run.Stopped);
            if (digest is not null && end?.Sha256 is { } expected && !digest.Hash.AsSpan().SequenceEqual(expected))
            {
                throw run.Body.Unexpected();
            }

            await run.Body.EndAsync();
        }
        catch (StorageException) when (run.Body.IsUnexpected)
        {
            states.Forget(state);
            throw;
        }

        var hash = digest?.Hash;
        if (hasTrailer)
        {
            response.AppendTrailer(ReprDigest.Header, ReprDigest.Format(hash!));
        }

        states.SetEnd(state, run.Body.Bytes, hash);
    }
}
