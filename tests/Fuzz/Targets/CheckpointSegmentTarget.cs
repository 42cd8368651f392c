using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Gateway.Resuming;

namespace Fuzz.Targets;

/// <summary>An archive's data in the shared cache: it can make a resume slower, but never start it after the requested byte.</summary>
internal static class CheckpointSegmentTarget
{
    private const long From = 40 << 20;

    private static readonly ArchiveLayout[] Layouts =
    [
        ArchiveLayout.Create(new ArchiveRecipe(ArchiveFormat.TarGz), [new ArchiveEntry("n", 50 << 20, DateTimeOffset.UnixEpoch)]),
        ArchiveLayout.Create(new ArchiveRecipe(ArchiveFormat.Zip), [new ArchiveEntry("n", 20 << 20, DateTimeOffset.UnixEpoch), new ArchiveEntry("m", 30 << 20, DateTimeOffset.UnixEpoch)]),
        ArchiveLayout.Create(new ArchiveRecipe(ArchiveFormat.Zip, Compression.Store), [new ArchiveEntry("n", 50 << 20, DateTimeOffset.UnixEpoch)]),
    ];

    public static void Run(byte[] input)
    {
        foreach (var layout in Layouts)
        {
            var known = new ResumeState(new("\"x\"", layout, false), null);
            CheckpointSegment.Read(input, known);
            FuzzTarget.Require(
                known.Checkpoints.Between(long.MinValue, long.MaxValue).All(place => place is { PlainOffset: > 0, Offset: > 0 } && place.PlainOffset <= layout.PlainLength && place.Offset <= layout.MaxLength),
                "a place is in the archive");
            FuzzTarget.Require(layout.FindResumePoint(known.Checkpoints, From, null).Place.Offset <= From, "writing starts at or before the range");
            FuzzTarget.Require(Enumerable.Range(0, layout.Entries.Count).All(entry => known.GetHash(entry) is null or { Length: 32 }), "a hash belongs to an entry");
        }
    }
}
