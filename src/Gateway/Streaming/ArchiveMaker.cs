using System.IO.Pipelines;
using Gateway.Admission;
using Gateway.Archiving.Resuming;
using Gateway.Requests;
using Gateway.Runs;
using Gateway.Storage.Objects;
using Microsoft.Extensions.Options;

namespace Gateway.Streaming;

/// <summary>Makes archives of objects, from storage into the response.</summary>
internal sealed class ArchiveMaker(ObjectStore store, IOptions<CompressionOptions> compression, IOptions<LimitOptions> limits)
{
    private readonly ArchiveSettings _settings = new(store, compression.Value.MaxWorkers, limits.Value.MaxBytes > 0 ? limits.Value.MaxBytes : long.MaxValue);

    /// <summary>Makes the archive of the run's plan, and ends it. Every exception leaves it without its end.</summary>
    /// <param name="run">Follows how far it came.</param>
    /// <param name="start">Where to begin.</param>
    /// <param name="output">Where the archive goes; a range that has been written ends the making.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task MakeAsync(BundleRun run, ResumePoint start, PipeWriter output, CancellationToken cancellationToken)
    {
        await using var archive = new BundleArchive(run, start, output, _settings, cancellationToken);
        await archive.WriteAsync();
    }
}

/// <summary>What all archives are made with.</summary>
/// <param name="Store">Reads objects.</param>
/// <param name="Workers">Blocks of one archive that are compressed at the same time.</param>
/// <param name="MaxBytes">Uncompressed bytes of one archive at most.</param>
internal sealed record ArchiveSettings(ObjectStore Store, int Workers, long MaxBytes);
