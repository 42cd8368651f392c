using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using Gateway.Archiving.Layout;

namespace Gateway.Resuming;

/// <summary>
/// What is known of one part of an archive, as replicas hand it to each other: places to go on from, and what became of the entries
/// that begin there. Parts keep each message small, however large the archive is.
/// </summary>
/// <remarks>Little-endian: count and checkpoints of 24 bytes; count and results of 16; count and hashes of 36; CRC-32 of all that. An entry of an
/// archive stands with its number.</remarks>
internal static class Chapter
{
    // Of the plain archive: 64 checkpoints, and as many entries as begin there.
    private const long PlainLength = 256 << 20;

    private const int CheckpointLength = 24;
    private const int ResultLength = 16;
    private const int HashLength = 32;

    public static int NumberOf(long plainOffset) => (int)(plainOffset / PlainLength);

    public static byte[] Write(KnownArchive archive, int number)
    {
        var layout = archive.Layout!;
        var (from, end) = (number * PlainLength, Math.Min((number + 1) * PlainLength, layout.PlainLength));
        var (first, last) = (layout.PieceAt(from).Entry, layout.PieceAt(end - 1).Entry);
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);

        var checkpoints = archive.Trail.Between(from, from + PlainLength);
        writer.Write(checkpoints.Length);
        foreach (var checkpoint in checkpoints)
        {
            writer.Write(checkpoint.PlainOffset);
            writer.Write(checkpoint.Offset);
            writer.Write(checkpoint.Crc);
            writer.Write(checkpoint.BlockCrc);
        }

        var results = Enumerable.Range(first, last - first + 1).Select(entry => (Entry: entry, Result: archive.Trail.ResultOf(entry))).Where(pair => pair.Result is not null).ToArray();
        writer.Write(results.Length);
        foreach (var (entry, result) in results)
        {
            writer.Write(entry);
            writer.Write(result!.Value.Crc);
            writer.Write(result.Value.EncodedLength);
        }

        var hashes = archive.Hashes.Where(pair => pair.Key >= first && pair.Key <= last).ToArray();
        writer.Write(hashes.Length);
        foreach (var (entry, hash) in hashes)
        {
            writer.Write(entry);
            writer.Write(hash);
        }

        writer.Write(Crc32.HashToUInt32(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
        return stream.ToArray();
    }

    /// <summary>Takes over what a chapter says.</summary>
    /// <returns>Where in the archive its first checkpoint is; null when it has none, or is no chapter.</returns>
    public static long? Read(ReadOnlySpan<byte> bytes, KnownArchive archive)
    {
        if (bytes.Length < sizeof(uint) || BinaryPrimitives.ReadUInt32LittleEndian(bytes[^sizeof(uint)..]) != Crc32.HashToUInt32(bytes[..^sizeof(uint)]))
        {
            return null;
        }

        bytes = bytes[..^sizeof(uint)];
        if (!TryTake(ref bytes, CheckpointLength, out var checkpoints)
            || !TryTake(ref bytes, ResultLength, out var results)
            || !TryTake(ref bytes, sizeof(int) + HashLength, out var hashes))
        {
            return null;
        }

        for (var at = 0; at < checkpoints.Length; at += CheckpointLength)
        {
            archive.Trail.Add(CheckpointAt(checkpoints[at..]));
        }

        for (; !results.IsEmpty; results = results[ResultLength..])
        {
            archive.Trail.Add(
                BinaryPrimitives.ReadInt32LittleEndian(results),
                new EntryResult(BinaryPrimitives.ReadUInt32LittleEndian(results[4..]), BinaryPrimitives.ReadInt64LittleEndian(results[8..])));
        }

        for (; !hashes.IsEmpty; hashes = hashes[(sizeof(int) + HashLength)..])
        {
            archive.Hashes[BinaryPrimitives.ReadInt32LittleEndian(hashes)] = hashes.Slice(sizeof(int), HashLength).ToArray();
        }

        return checkpoints.IsEmpty ? null : CheckpointAt(checkpoints).Offset;
    }

    private static ArchiveCheckpoint CheckpointAt(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt64LittleEndian(bytes),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]));

    private static bool TryTake(ref ReadOnlySpan<byte> bytes, int length, [UnscopedRef] out ReadOnlySpan<byte> rows)
    {
        rows = default;
        if (bytes.Length < sizeof(int))
        {
            return false;
        }

        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (count < 0 || count > (bytes.Length - sizeof(int)) / length)
        {
            return false;
        }

        rows = bytes.Slice(sizeof(int), count * length);
        bytes = bytes[(sizeof(int) + rows.Length)..];
        return true;
    }
}
