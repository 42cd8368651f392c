using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Gateway.Storage.Checksums;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;

namespace Gateway.Storage.Objects;

/// <summary>An object that is stored encoded, decoded while it is read.</summary>
/// <remarks>It owns the reader of the stored bytes and, from the first read on, a decoder, which holds at most
/// <see cref="ContentCodings.MaxDecoderMemory"/>. Interruptions are repaired below it: the stored bytes continue at the byte where they broke,
/// so the decoder never restarts. The last bytes are returned only when the stored bytes have ended and match storage's checksums.</remarks>
internal sealed class DecodingReader : IObjectReader
{
    private readonly ObjectReader _stored;
    private readonly StoredBytes _input;
    private readonly string _coding;
    private readonly Action _sizeDiffers;
    private Stream? _decoder;
    private long _position;
    private bool _isEnded;

    /// <param name="stored">At its beginning.</param>
    /// <param name="coding">From <see cref="ContentCodings.FindDecodable"/>.</param>
    /// <param name="head">The decoded object. Its size is exact.</param>
    /// <param name="sizeDiffers">Called if the object decodes to another size.</param>
    public DecodingReader(ObjectReader stored, string coding, ObjectHead head, Action sizeDiffers)
    {
        _stored = stored;
        _input = new StoredBytes(stored);
        _coding = coding;
        _sizeDiffers = sizeDiffers;
        Head = head;
    }

    public ObjectHead Head { get; }

    public bool IsPreloaded => _stored.IsPreloaded;

    /// <summary>Reads an object to its end to determine its decoded size. The reader still belongs to the caller.</summary>
    /// <param name="stored">At its beginning.</param>
    /// <param name="coding">From <see cref="ContentCodings.FindDecodable"/>.</param>
    /// <param name="maxBytes">Maximum decoded size.</param>
    /// <exception cref="StorageException">The stored bytes cannot be read or decoded, or decode to more.</exception>
    public static async Task<long> MeasureAsync(ObjectReader stored, string coding, long maxBytes)
    {
        await using var input = new StoredBytes(stored);
        await using var decoder = ContentCodings.Decode(input, coding);
        var (size, buffer) = (0L, ArrayPool<byte>.Shared.Rent(ObjectReader.SkipBuffer));
        try
        {
            while (await DecodeAsync(decoder, buffer) is > 0 and var count)
            {
                size += count;
                if (size > maxBytes)
                {
                    throw new StorageException(FailureReason.ExpandsTooMuch, $"The stored object has {stored.Head.Size} bytes and decodes to more than {maxBytes}.");
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        await input.RequireEndAsync();
        return size;
    }

    public async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        try
        {
            return await ReadDecodedAsync(buffer);
        }
        catch (StorageException failure)
        {
            _stored.Note(failure);
            if (failure.Reason == FailureReason.SizeDiffers)
            {
                _sizeDiffers();
            }

            throw;
        }
    }

    public void Note(StorageException failure) => _stored.Note(failure);

    public ValueTask ReleaseAsync() => _stored.ReleaseAsync();

    public void PauseReading() => _stored.PauseReading();

    public void ResumeReading() => _stored.ResumeReading();

    public void StartRanges(ByteBudget budget) => _stored.StartRanges(budget);

    /// <summary>What is in memory is the stored object.</summary>
    public byte[]? HashPreloaded() => null;

    public Task PrepareAsync(ByteBudget budget, long smallObject) => _stored.PrepareAsync(budget, smallObject);

    /// <summary>Does nothing: the size is known.</summary>
    public Task LearnSizeAsync(ByteBudget budget) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_decoder is not null)
        {
            await _decoder.DisposeAsync();
        }

        await _input.DisposeAsync();
        await _stored.DisposeAsync();
    }

    private async ValueTask<int> ReadDecodedAsync(Memory<byte> buffer)
    {
        _decoder ??= ContentCodings.Decode(_input, _coding);
        var rest = Head.Size!.Value - _position;
        var count = rest == 0 ? 0 : await DecodeAsync(_decoder, rest < buffer.Length ? buffer[..(int)rest] : buffer);
        if (rest > 0 && count == 0)
        {
            throw new StorageException(FailureReason.SizeDiffers, $"The object decodes to {_position} bytes; {Head.Size} were expected.");
        }

        _position += count;
        if (_position == Head.Size && !_isEnded)
        {
            _isEnded = true;
            if (await DecodeAsync(_decoder, new byte[1]) > 0)
            {
                throw new StorageException(FailureReason.SizeDiffers, $"The object decodes to more than the expected {Head.Size} bytes.");
            }

            await _input.RequireEndAsync();
        }

        return count;
    }

    [SuppressMessage("Design", "CA1031", Justification = "Each decoder throws different exceptions for invalid data.")]
    private static async ValueTask<int> DecodeAsync(Stream decoder, Memory<byte> buffer)
    {
        try
        {
            return await decoder.ReadAsync(buffer);
        }
        catch (Exception exception) when (exception is not (StorageException or OperationCanceledException))
        {
            throw new StorageException(FailureReason.DecodingFailed, inner: exception);
        }
    }

    /// <summary>The stored bytes as input of a decoder, compared with the checksums that storage reports. It owns the state of the comparison, but
    /// not the reader.</summary>
    private sealed class StoredBytes(ObjectReader reader) : ForwardStream
    {
        // An object in memory has already been compared.
        private readonly ChecksumVerifier? _check = ChecksumVerifier.Create(null, reader.IsPreloaded ? null : reader.Head.Checksums);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = buffer.IsEmpty ? 0 : await reader.ReadAsync(buffer);
            _check?.Append(buffer.Span[..count]);
            return count;
        }

        /// <summary>A decoder may stop before the end of the input, where its format ends.</summary>
        public async Task RequireEndAsync()
        {
            var buffer = ArrayPool<byte>.Shared.Rent(ObjectReader.SkipBuffer);
            try
            {
                while (await ReadAsync(buffer) > 0)
                {
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            _check?.Require();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _check?.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
