using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Gateway.Archiving.Layout;
using Gateway.Archiving.Resuming;

namespace Gateway.Resuming;

/// <summary>
/// What is known about one part of an archive, as replicas exchange it: checkpoints, and the results of the entries
/// in that part. Parts keep each message small, however large the archive is.
/// </summary>
/// <remarks>Little-endian: count and checkpoints of 24 bytes; count and results of 16; count and hashes of 36. Entries are identified by
/// their index in the archive.</remarks>
internal static class CheckpointSegment
{
    // In the plain archive: 64 checkpoints, and the entries among them.
    private const long PlainLength = 256 << 20;

    private const int CheckpointLength = 24;
    private const int ResultLength = 16;
    private const int HashLength = 32;

    /// <summary>The segment that ends at or after a place other than the beginning.</summary>
    public static long GetNumber(long plainOffset) => (plainOffset - 1) / PlainLength;

    public static byte[] Write(ResumeState state, long number)
    {
        var layout = state.Layout!;
        var (from, end) = (number * PlainLength, Math.Min((number + 1) * PlainLength, layout.PlainLength));
        var (first, last) = (layout.PieceAt(from).Entry, Math.Min(layout.PieceAt(end - 1).Entry, layout.Entries.Count - 1));
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);

        var checkpoints = state.Checkpoints.Between(from + 1, end + 1);
        writer.Write(checkpoints.Length);
        foreach (var checkpoint in checkpoints)
        {
            writer.Write(checkpoint.PlainOffset);
            writer.Write(checkpoint.Offset);
            writer.Write(checkpoint.Crc);
            writer.Write(checkpoint.BlockCrc);
        }

        var entries = Enumerable.Range(first, Math.Max(last - first + 1, 0)).ToArray();
        var results = entries.Select(entry => (Entry: entry, Result: state.Checkpoints.FindResult(entry))).Where(pair => pair.Result is not null).ToArray();
        writer.Write(results.Length);
        foreach (var (entry, result) in results)
        {
            writer.Write(entry);
            writer.Write(result!.Value.Crc);
            writer.Write(result.Value.EncodedLength);
        }

        var hashes = entries.Select(entry => (Entry: entry, Hash: state.GetHash(entry))).Where(pair => pair.Hash is not null).ToArray();
        writer.Write(hashes.Length);
        foreach (var (entry, hash) in hashes)
        {
            writer.Write(entry);
            writer.Write(hash!);
        }

        return stream.ToArray();
    }

    /// <summary>Adds the contents of a segment, as far as they can be true for the archive.</summary>
    /// <returns>The archive offset of its first checkpoint; null if it has none, or is not a segment.</returns>
    public static long? Read(ReadOnlySpan<byte> bytes, ResumeState state)
    {
        if (!TryTake(ref bytes, CheckpointLength, out var checkpoints)
            || !TryTake(ref bytes, ResultLength, out var results)
            || !TryTake(ref bytes, sizeof(int) + HashLength, out var hashes)
            || !AreRising(checkpoints, state.Layout!))
        {
            return null;
        }

        for (var at = 0; at < checkpoints.Length; at += CheckpointLength)
        {
            state.Checkpoints.Add(CheckpointAt(checkpoints[at..]));
        }

        for (; !results.IsEmpty; results = results[ResultLength..])
        {
            if (IsEntry(results, state.Layout!, out var entry) && BinaryPrimitives.ReadInt64LittleEndian(results[8..]) is >= 0 and var length)
            {
                state.Checkpoints.Add(entry, new EntryResult(BinaryPrimitives.ReadUInt32LittleEndian(results[4..]), length));
            }
        }

        for (; !hashes.IsEmpty; hashes = hashes[(sizeof(int) + HashLength)..])
        {
            if (IsEntry(hashes, state.Layout!, out var entry))
            {
                state.AddHash(entry, hashes.Slice(sizeof(int), HashLength).ToArray());
            }
        }

        return checkpoints.IsEmpty ? null : CheckpointAt(checkpoints).Offset;
    }

    /// <summary>Offsets increase, in the archive and in the plain archive, and stay inside both.</summary>
    private static bool AreRising(ReadOnlySpan<byte> checkpoints, ArchiveLayout layout)
    {
        var last = default(Checkpoint);
        for (; !checkpoints.IsEmpty; checkpoints = checkpoints[CheckpointLength..])
        {
            var next = CheckpointAt(checkpoints);
            if (next.Offset <= last.Offset || next.PlainOffset <= last.PlainOffset || next.Offset > layout.MaxLength || next.PlainOffset > layout.PlainLength)
            {
                return false;
            }

            last = next;
        }

        return true;
    }

    private static bool IsEntry(ReadOnlySpan<byte> row, ArchiveLayout layout, out int entry)
    {
        entry = BinaryPrimitives.ReadInt32LittleEndian(row);
        return entry >= 0 && entry < layout.Entries.Count;
    }

    private static Checkpoint CheckpointAt(ReadOnlySpan<byte> bytes) => new(
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
