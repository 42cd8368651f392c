using System.IO.Pipelines;
using Gateway.Archiving;
using Gateway.Archiving.Layout;

namespace Archiving.Tests;

/// <summary>Writes complete archives into memory.</summary>
internal static class Archive
{
    public static readonly DateTimeOffset Modified = new(2026, 1, 2, 3, 4, 6, TimeSpan.Zero);

    public static async Task<byte[]> WriteAsync(ArchiveRecipe recipe, params (string Name, byte[] Body)[] entries)
    {
        using var output = new MemoryStream();
        var pipe = PipeWriter.Create(output);
        var layout = ArchiveLayout.Create(recipe, [.. entries.Select(entry => new ArchiveEntry(entry.Name, entry.Body.Length, Modified))]);
        var archive = ArchiveWriter.Continue(layout, pipe, default);
        foreach (var (name, body) in entries)
        {
            await archive.WriteEntryAsync(new ArchiveEntry(name, body.Length, Modified), new MemoryStream(body));
        }

        await archive.FinishAsync();
        archive.Complete();
        return output.ToArray();
    }

    /// <summary>Writes an entry of zeros of any size, which needs no memory.</summary>
    public static async Task WriteZerosAsync(ArchiveWriter archive, string name, long size)
    {
        archive.StartEntry(new ArchiveEntry(name, size, Modified));
        for (var rest = size; rest > 0;)
        {
            var memory = archive.GetMemory();
            var length = (int)Math.Min(memory.Length, rest);
            memory.Span[..length].Clear();
            archive.Advance(length);
            await archive.FlushAsync();
            rest -= length;
        }

        archive.EndEntry();
    }
}
