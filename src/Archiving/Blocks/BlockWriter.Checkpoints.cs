using System.Buffers;
using System.IO.Hashing;
using Gateway.Archiving.Resuming;

namespace Gateway.Archiving.Blocks;

/// <content>Places from which the archive can be continued: noting them, and trying the one at which it is continued.</content>
internal sealed partial class BlockWriter
{
    private readonly CheckpointIndex? _trail;
    private long _lastCheckpoint;

    // Bytes of a block that is made once more only to be compared, and what it must be.
    private int _checkLength;
    private readonly uint _checkCrc;

    /// <summary>What is known of the place behind the block that has just ended, if it is to be remembered.</summary>
    private Checkpoint? Due()
    {
        if (_trail is null || PlainOffset - _lastCheckpoint < CheckpointIndex.Interval)
        {
            return null;
        }

        _lastCheckpoint = PlainOffset;
        return new Checkpoint(PlainOffset, 0, Crc, 0);
    }

    /// <summary>Makes the block before the place where the archive goes on, which the client has already.</summary>
    /// <exception cref="CheckpointException">It is another one than when the place was noted.</exception>
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
