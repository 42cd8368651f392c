using System.IO.Pipelines;
using CsCheck;
using Gateway.Archiving;
using Gateway.Archiving.Layout;
using Gateway.Archiving.Resuming;
using Testing;

namespace Archiving.Tests.Resuming;

/// <summary>An archive that is started at any byte is the remainder of the whole one.</summary>
public class ResumePointTests
{
    private static readonly (string Name, byte[] Body)[] Entries =
    [
        ("first", new ObjectContent(700_001, 1).ToArray()),
        ("empty", []),
        ("media", new ObjectContent(9_000_000, 2, compressible: false).ToArray()),
        .. Enumerable.Range(0, 40).Select(i => ($"small/{i}", new ObjectContent(i * 700, i).ToArray())),
        ("text", new ObjectContent(6_000_003, 3).ToArray()),
        ("last", new ObjectContent(131_072, 4).ToArray()),
        ("archive", WithSignatures(new ObjectContent(400_000, 5, compressible: false).ToArray())),
    ];

    public static TheoryData<ArchiveFormat, Compression, int> Recipes
    {
        get
        {
            var recipes = new TheoryData<ArchiveFormat, Compression, int>();
            foreach (var format in Enum.GetValues<ArchiveFormat>())
            {
                foreach (var (compression, workers) in new[] { (Compression.Fast, 1), (Compression.Fast, 3), (Compression.Small, 2), (Compression.Store, 1) })
                {
                    recipes.Add(format, compression, workers);
                }
            }

            return recipes;
        }
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public async Task From_any_byte_with_and_without_checkpoints_the_output_is_the_remainder_of_the_whole(ArchiveFormat format, Compression compression, int workers)
    {
        Matrix.RequireFull(unless: workers == 3 || format == ArchiveFormat.Tar || (compression == Compression.Store && format != ArchiveFormat.TarGz));
        var layout = LayoutOf(new ArchiveRecipe(format, compression), Entries);
        var trail = new CheckpointIndex();
        var whole = await MakeAsync(layout, default, new CheckpointIndex(), workers);
        Assert.Equal(whole, await MakeAsync(layout, default, trail, 1));
        Assert.Equal(layout.Length ?? whole.Length, whole.Length);
        Assert.InRange(whole.Length, 1, layout.MaxLength);
        Assert.InRange(All(trail).Length, layout.Recipe.NeedsCheckpoints ? 3 : 0, layout.Recipe.NeedsCheckpoints ? 4 : 0);

        var edges = All(trail).SelectMany(place => new[] { place.Offset - 1, place.Offset });
        var random = new Random(7);
        foreach (var from in edges.TakeLast(Matrix.Of(full: int.MaxValue, reduced: 1)).Concat([1, whole.Length - 1, .. Enumerable.Range(0, Matrix.Of(full: 3, reduced: 1)).Select(_ => random.NextInt64(whole.Length))]))
        {
            foreach (var known in from % 3 == 0 ? [trail, new CheckpointIndex()] : new[] { trail })
            {
                var start = layout.FindResumePoint(known, from, end: null);
                Assert.InRange(start.Place.Offset, 0, from);
                var rest = await MakeAsync(layout, start, known, workers);
                Assert.True(
                    rest.AsSpan((int)(from - start.Place.Offset)).SequenceEqual(whole.AsSpan((int)from)), $"from {from}, begun at {start}");
            }
        }
    }

    [Theory]
    [InlineData(ArchiveFormat.TarGz)]
    [InlineData(ArchiveFormat.TarZst)]
    [InlineData(ArchiveFormat.Zip)]
    public async Task A_start_repeats_at_most_an_interval_and_a_block(ArchiveFormat format)
    {
        var layout = LayoutOf(new ArchiveRecipe(format), Entries);
        var trail = new CheckpointIndex();
        var whole = await MakeAsync(layout, default, trail, 1);

        foreach (var place in All(trail))
        {
            var start = layout.FindResumePoint(trail, place.Offset, end: null);
            Assert.Equal(place, start.Place);
            Assert.InRange(start.CheckLength, 1, ArchiveRecipe.SmallBlockSize);
        }

        Assert.All(All(trail).Zip(All(trail).Skip(1)), pair => Assert.InRange(pair.Second.PlainOffset - pair.First.PlainOffset, 4 << 20, (4 << 20) + ArchiveRecipe.SmallBlockSize));
        Assert.NotEmpty(whole);
    }

    [Theory]
    [InlineData(ArchiveFormat.TarGz)]
    [InlineData(ArchiveFormat.TarZst)]
    [InlineData(ArchiveFormat.Zip)]
    public async Task A_checkpoint_of_another_archive_is_rejected_before_a_byte_is_written(ArchiveFormat format)
    {
        var layout = LayoutOf(new ArchiveRecipe(format), Entries);
        var trail = new CheckpointIndex();
        await MakeAsync(layout, default, trail, 1);
        var right = All(trail)[1];
        foreach (var wrong in new[] { right with { BlockCrc = right.BlockCrc + 1 }, right with { PlainOffset = right.PlainOffset - ArchiveRecipe.SmallBlockSize } })
        {
            var poisoned = new CheckpointIndex();
            poisoned.Add(wrong);
            for (var i = 0; i < Entries.Length; i++)
            {
                poisoned.Add(i, trail.FindResult(i) ?? default);
            }

            using var output = new MemoryStream();
            await Assert.ThrowsAsync<CheckpointException>(() => MakeAsync(layout, layout.FindResumePoint(poisoned, right.Offset, end: null), poisoned, 2, output));
            Assert.Equal(0, output.Length);
        }
    }

    [Fact]
    public void A_stored_zip_starts_at_the_block_of_the_byte_unless_a_checksum_requires_more()
    {
        var layout = LayoutOf(new ArchiveRecipe(ArchiveFormat.Zip, Compression.Store), Entries);
        var (media, behind) = (layout.GetStart(2), layout.GetStart(3));
        var nothing = new CheckpointIndex();
        var start = layout.FindResumePoint(nothing, 5_000_000, 5_001_000);

        Assert.InRange(start.Place.Offset, 5_000_000 - ArchiveRecipe.StoreBlockSize - 5, 5_000_000);
        Assert.Equal((2, 0L), (start.Entry, start.BodyOffset % ArchiveRecipe.StoreBlockSize));
        Assert.Equal(media, layout.FindResumePoint(nothing, 5_000_000, behind + 10_000).Place.PlainOffset);
        Assert.Equal(0, layout.FindResumePoint(nothing, 5_000_000, end: null).Place.Offset);

        var header = layout.FindResumePoint(nothing, 3, 10);
        Assert.Equal((0L, 0), (header.Place.Offset, header.Entry));
    }

    [Fact]
    public void A_stored_tar_zst_starts_at_the_block_of_the_byte_without_any_checkpoint()
    {
        var layout = LayoutOf(new ArchiveRecipe(ArchiveFormat.TarZst, Compression.Store), Entries);

        foreach (var from in new[] { 0, 1, 14, 15, 5_000_000, layout.Length!.Value - 1 })
        {
            var start = layout.FindResumePoint(new CheckpointIndex(), from, end: null);

            Assert.InRange(start.Place.Offset, Math.Max(0, from - ArchiveRecipe.StoreBlockSize - 14), from);
            Assert.Equal(0, start.Place.PlainOffset % ArchiveRecipe.StoreBlockSize);
        }
    }

    [Theory]
    [InlineData(ArchiveFormat.Tar, Compression.Fast)]
    [InlineData(ArchiveFormat.TarGz, Compression.Fast)]
    [InlineData(ArchiveFormat.TarZst, Compression.Fast)]
    [InlineData(ArchiveFormat.TarZst, Compression.Store)]
    [InlineData(ArchiveFormat.Zip, Compression.Fast)]
    [InlineData(ArchiveFormat.Zip, Compression.Store)]
    public async Task Entries_that_must_be_read_are_not_skipped(ArchiveFormat format, Compression compression)
    {
        var layout = LayoutOf(new ArchiveRecipe(format, compression), Entries);
        var trail = new CheckpointIndex();
        var whole = await MakeAsync(layout, default, trail, 1);

        var start = layout.FindResumePoint(trail, whole.Length - 1, end: null, isRead: entry => entry != 2);

        // For stored frames, at the block in which the entry begins.
        Assert.InRange(start.Place.PlainOffset, layout.GetStart(2) - (compression == Compression.Store ? ArchiveRecipe.StoreBlockSize : 0), layout.GetStart(3));
        Assert.InRange(start.Entry, compression == Compression.Store ? 0 : 2, 2);
    }

    [Theory]
    [InlineData(ArchiveFormat.Zip, Compression.Fast)]
    [InlineData(ArchiveFormat.Zip, Compression.Store)]
    [InlineData(ArchiveFormat.TarZst, Compression.Fast)]
    [InlineData(ArchiveFormat.TarZst, Compression.Store)]
    public void Any_plan_from_any_byte(ArchiveFormat format, Compression compression) =>
        Gen.Select(Gen.Int[0, 300_000].Array[1, 8], Gen.Double[0, 1], Gen.Int[1, 4]).SampleAsync(
            async (sizes, at, workers) =>
            {
                (string, byte[])[] entries = [.. sizes.Select((size, i) => ($"e{i}", new ObjectContent(size, size, compressible: size % 3 != 0).ToArray()))];
                var layout = LayoutOf(new ArchiveRecipe(format, compression), entries);
                var whole = await MakeAsync(layout, default, null, workers, entries: entries);
                var from = (long)(at * (whole.Length - 1));
                var start = layout.FindResumePoint(new CheckpointIndex(), from, end: null);
                var rest = await MakeAsync(layout, start, new CheckpointIndex(), 1, entries: entries);
                return rest.AsSpan((int)(from - start.Place.Offset)).SequenceEqual(whole.AsSpan((int)from));
            },
            iter: 25);

    /// <summary>Signatures as in an archive within the archive.</summary>
    private static byte[] WithSignatures(byte[] bytes)
    {
        for (var at = 0; at < bytes.Length - 4; at += 9_000)
        {
            new byte[] { 0x50, 0x4B, 3, 4 }.CopyTo(bytes, at);
        }

        return bytes;
    }

    private static Checkpoint[] All(CheckpointIndex trail) => trail.Between(0, long.MaxValue);

    private static ArchiveLayout LayoutOf(ArchiveRecipe recipe, (string Name, byte[] Body)[] entries) =>
        ArchiveLayout.Create(recipe, [.. entries.Select(entry => new ArchiveEntry(entry.Name, entry.Body.Length, Archive.Modified))]);

    private static async Task<byte[]> MakeAsync(
        ArchiveLayout layout, ResumePoint start, CheckpointIndex? trail, int workers, MemoryStream? output = null, (string Name, byte[] Body)[]? entries = null)
    {
        output ??= new MemoryStream();
        entries ??= Entries;
        var pipe = PipeWriter.Create(output);
        var archive = ArchiveWriter.Continue(layout, pipe, start, workers, trail);
        for (var i = start.Entry; i < entries.Length; i++)
        {
            archive.StartEntry(layout.Entries[i]);
            for (var body = entries[i].Body.AsMemory(i == start.Entry ? (int)start.BodyOffset : 0); !body.IsEmpty; body = body[Math.Min(100_000, body.Length)..])
            {
                await archive.WriteAsync(body[..Math.Min(100_000, body.Length)]);
            }

            archive.EndEntry();
        }

        await archive.FinishAsync();
        archive.Complete();
        return output.ToArray();
    }
}
