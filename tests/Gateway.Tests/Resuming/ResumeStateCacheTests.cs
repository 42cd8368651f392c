using System.Globalization;
using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Gateway.Archiving.Resuming;
using Gateway.Resuming;

namespace Gateway.Tests.Resuming;

[CollectionDefinition(nameof(ResumeStateCacheTests), DisableParallelization = true)]
[Collection(nameof(ResumeStateCacheTests))]
public sealed class ResumeStateCacheTests
{
    private const int Archives = 4000;

    [Theory]
    [InlineData(ArchiveFormat.TarGz, 1, false)]
    [InlineData(ArchiveFormat.TarGz, 8, false)]
    [InlineData(ArchiveFormat.TarGz, 8, true)]
    [InlineData(ArchiveFormat.Zip, 1, false)]
    [InlineData(ArchiveFormat.Zip, 8, true)]
    public async Task An_archive_is_counted_with_its_actual_size(ArchiveFormat format, int entries, bool hasReceipt)
    {
        // Memory of other tests may be freed at any moment, so a single measurement can be wrong, but not five.
        var measured = new List<string>();
        for (var attempt = 0; attempt < 5; attempt++)
        {
            using var cache = new ResumeStateCache();
            await RememberAsync(cache, format, entries, hasReceipt, "warm-up");
            var before = HeapSize();
            var counted = 0L;
            for (var i = 0; i < Archives; i++)
            {
                counted += await RememberAsync(cache, format, entries, hasReceipt, i.ToString(CultureInfo.InvariantCulture));
            }

            var cost = HeapSize() - before;
            if (counted > cost && counted < cost * 1.5)
            {
                return;
            }

            measured.Add(string.Create(CultureInfo.InvariantCulture, $"{cost / Archives} bytes, counted {counted / Archives}"));
        }

        Assert.Fail(string.Join("; ", measured));
    }

    /// <summary>The exact value, unlike <c>GC.GetTotalMemory(true)</c>, which stops when it changes by less than 5 %.</summary>
    private static long HeapSize()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: false);
    }

    /// <returns>The counted size.</returns>
    private static async Task<long> RememberAsync(ResumeStateCache cache, ArchiveFormat format, int entries, bool hasReceipt, string name)
    {
        // As after a download: every name is a separate string, and every entry was read.
        var layout = ArchiveLayout.Create(
            new ArchiveRecipe(format, Compression.Fast),
            [.. Enumerable.Range(0, entries).Select(i => new ArchiveEntry(string.Create(CultureInfo.InvariantCulture, $"media/2026/{name}/{i}.bin"), 1_000_000, DateTimeOffset.UnixEpoch))]);
        var archive = new ArchiveIdentity($"\"{name.PadLeft(32, '0')}\"", layout, hasReceipt);
        var state = await cache.GetOrAddAsync(archive, TestContext.Current.CancellationToken);
        for (var i = 0; i < entries; i++)
        {
            if (format == ArchiveFormat.Zip)
            {
                state.Checkpoints.Add(i, new EntryResult(1, 2));
            }

            if (hasReceipt)
            {
                state.AddHash(i, new byte[32]);
            }
        }

        for (var at = CheckpointIndex.Interval; at < layout.PlainLength; at += CheckpointIndex.Interval)
        {
            state.Checkpoints.Add(new Checkpoint(at, at, 1, 2));
        }

        state.SetEnd(layout.PlainLength, hash: null);
        return ResumeStateCache.GetSize(archive);
    }
}
