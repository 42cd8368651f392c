using System.Buffers;
using Gateway.Archiving.Blocks;

namespace Gateway.Archiving.Gzip;

/// <content>Blocks that are filled where they will be sent from.</content>
internal sealed partial class GzipWriter
{
    /// <summary>Ends the blocks that were filled in the output's memory: all of them are stored there, unless one shrinks.</summary>
    private void EndInPlace(ReadOnlySpan<byte> plain)
    {
        _unflushed = true;
        if (_encoder.Stores || NoneShrinks(plain))
        {
            _stores = true;
            var length = StoredBlock.WriteInPlace(_inPlace.Span, plain.Length, _encoder.BlockSize);
            Output.Advance(length);
            Written(length, Here);
            _inPlace = default;
            return;
        }

        // Something else has begun. It is put aside, and written block by block.
        var aside = ArrayPool<byte>.Shared.Rent(plain.Length);
        plain.CopyTo(aside);
        var written = 0;
        for (var at = 0; at < plain.Length; at += _encoder.BlockSize)
        {
            var block = aside.AsSpan(at, Math.Min(_encoder.BlockSize, plain.Length - at));
            var length = _encoder.Encode(block, _inPlace[written..]);
            written += length;
            _stores = length == BlockEncoder.MaxEncodedLength(block.Length);
        }

        ArrayPool<byte>.Shared.Return(aside);
        Output.Advance(written);
        Written(written, Here);
        _inPlace = default;
    }

    private bool NoneShrinks(ReadOnlySpan<byte> plain)
    {
        var scratch = ArrayPool<byte>.Shared.Rent(_encoder.BlockSize);
        var shrinks = false;
        for (; !plain.IsEmpty && !shrinks; plain = plain[Math.Min(_encoder.BlockSize, plain.Length)..])
        {
            var block = plain[..Math.Min(_encoder.BlockSize, plain.Length)];
            shrinks = _encoder.TryEncode(block, scratch.AsMemory(0, block.Length)) > 0;
        }

        ArrayPool<byte>.Shared.Return(scratch);
        return !shrinks;
    }
}
