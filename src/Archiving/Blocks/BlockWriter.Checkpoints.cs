using System.Buffers;
using System.IO.Hashing;
using Gateway.Archiving.Resuming;

namespace Gateway.Archiving.Blocks;

/// <content>Checkpoints: recording them, and verifying the one at which the archive is resumed.</content>
internal sealed partial class BlockWriter
{
    private readonly CheckpointIndex? _checkpoints;
    private long _lastCheckpoint;

    // Uncompressed bytes that are encoded again only for comparison, and the expected CRC-32 of the result.
    private int _checkLength;
    private readonly uint _checkCrc;

    /// <summary>The checkpoint after the block that has just ended, if one is due.</summary>
    private Checkpoint? Due()
    {
        if (_checkpoints is null || PlainOffset - _lastCheckpoint < CheckpointIndex.Interval)
        {
            return null;
        }

        _lastCheckpoint = PlainOffset;
        return new Checkpoint(PlainOffset, 0, Crc, 0);
    }

    /// <summary>Encodes the block before the resume point again. The client already has it.</summary>
    /// <exception cref="CheckpointException">It differs from the block that preceded the checkpoint when it was recorded.</exception>
    private void Check(ReadOnlySpan<byte> plain)
    {
        var length = _encoder.MaxLength(plain.Length);
        var scratch = ArrayPool<byte>.Shared.Rent(length);
        length = _encoder.Encode(plain, scratch.AsMemory(0, length));
        var isRight = plain.Length == _checkLength && Crc32.HashToUInt32(scratch.AsSpan(0, length)) == _checkCrc;
        ArrayPool<byte>.Shared.Return(scratch);
        if (!isRight)
        {
            throw new CheckpointException();
        }

        PlainOffset += plain.Length;
        (_checkLength, _filled) = (0, 0);
    }
}
