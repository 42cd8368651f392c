using System.Buffers;

namespace Gateway.Archiving.Blocks;

/// <content>Blocks that are filled in the memory they are sent from.</content>
internal sealed partial class BlockWriter
{
    /// <summary>Ends the blocks that were filled in the output's memory. All are stored in place unless one shrinks.</summary>
    private void EndInPlace(ReadOnlySpan<byte> plain)
    {
        var end = Due();
        if (_encoder.Stores || NoneShrinks(plain))
        {
            _stores = true;
            var stored = _encoder.Stored.WriteInPlace(_inPlace.Span, plain.Length, _encoder.BlockSize);
            var last = _encoder.Stored.EncodedLength(plain.Length - ((plain.Length - 1) / _encoder.BlockSize * _encoder.BlockSize));
            end = end?.Behind(_inPlace.Span[(stored - last)..stored]);
            _output.Advance(stored);
            Written(stored, end);
            _inPlace = default;
            return;
        }

        // The content has become compressible. Copy it aside, and write it block by block.
        var aside = ArrayPool<byte>.Shared.Rent(plain.Length);
        plain.CopyTo(aside);
        var (written, length) = (0, 0);
        for (var at = 0; at < plain.Length; at += _encoder.BlockSize)
        {
            var block = aside.AsSpan(at, Math.Min(_encoder.BlockSize, plain.Length - at));
            length = _encoder.Encode(block, _inPlace[written..]);
            written += length;
            _stores = length == _encoder.Stored.EncodedLength(block.Length);
        }

        ArrayPool<byte>.Shared.Return(aside);
        end = end?.Behind(_inPlace.Span[(written - length)..written]);
        _output.Advance(written);
        Written(written, end);
        _inPlace = default;
    }

    private bool NoneShrinks(ReadOnlySpan<byte> plain)
    {
        var scratch = ArrayPool<byte>.Shared.Rent(_encoder.RoomFor(_encoder.BlockSize));
        var shrinks = false;
        for (; !plain.IsEmpty && !shrinks; plain = plain[Math.Min(_encoder.BlockSize, plain.Length)..])
        {
            var block = plain[..Math.Min(_encoder.BlockSize, plain.Length)];
            shrinks = _encoder.TryEncode(block, scratch.AsMemory(0, _encoder.RoomFor(block.Length))) > 0;
        }

        ArrayPool<byte>.Shared.Return(scratch);
        return !shrinks;
    }
}
