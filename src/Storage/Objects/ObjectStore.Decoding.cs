using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Storage.Sources;

namespace Gateway.Storage.Objects;

/// <content>Objects that are stored encoded, if their source decodes them (<c>Bundle.Encoded: decode</c>).</content>
public sealed partial class ObjectStore
{
    // The decoded size that is always allowed.
    private const long MinExpandedBytes = 1 << 20;

    private readonly DecodedSizes _decodedSizes = new();

    /// <inheritdoc/>
    public void Dispose() => _decodedSizes.Dispose();

    private static string? FindDecodable(ObjectRequest request, ObjectHead stored) => request.Source.Decodes ? ContentCodings.FindDecodable(stored.Encoding) : null;

    /// <summary>Describes the entry: the stored object, or its decoded form.</summary>
    private async Task<ObjectHead> DescribeEntryAsync(ObjectRequest request, ObjectHead stored, TransferCounters counters, CancellationToken cancellationToken)
    {
        if (FindDecodable(request, stored) is not { } coding)
        {
            return stored;
        }

        if (_decodedSizes.Find(request, stored) is { } known)
        {
            return stored.Decoded(known);
        }

        return stored.Decoded(await MeasureAsync(request, stored, coding, counters, cancellationToken));
    }

    /// <summary>Opens an object as an entry.</summary>
    private Task<IObjectReader> OpenEntryAsync(Opening opening, TransferCounters counters, CancellationToken cancellationToken) => opening.Request.Source.Decodes
        ? OpenDecodedAsync(opening, counters, cancellationToken)
        : OpenStoredAsync(opening, counters, cancellationToken);

    private async Task<IObjectReader> OpenDecodedAsync(Opening opening, TransferCounters counters, CancellationToken cancellationToken)
    {
        var (request, expected) = (opening.Request, opening.Expected);
        var reader = (ObjectReader)await OpenStoredAsync(opening, counters, cancellationToken);
        if (FindDecodable(request, reader.Head) is not { } coding)
        {
            return reader;
        }

        try
        {
            var stored = reader.Head;
            var known = expected?.Stored is not null ? expected.Size : _decodedSizes.Find(request, stored);
            if (known is null && reader.IsPreloaded)
            {
                var preloaded = reader;
                known = await WithPermitAsync(counters, () => MeasureAsync(request, preloaded, coding), cancellationToken);
                reader.Rewind();
            }
            else if (known is null)
            {
                // Not while it is open: an idle open body may keep others waiting.
                await reader.DisposeAsync();
                known = await MeasureAsync(request, stored, coding, counters, cancellationToken);
                reader = (ObjectReader)await OpenStoredAsync(opening with { Expected = stored, Size = stored.Size }, counters, cancellationToken);
            }

            if (expected?.Size is { } planned && planned != known)
            {
                throw new StorageException(FailureReason.SizeDiffers, $"The object decodes to {known} bytes; {planned} were declared.");
            }

            return new DecodingReader(reader, coding, stored.Decoded(known.Value), () => _decodedSizes.Remove(request, stored));
        }
        catch
        {
            await reader.DisposeAsync();
            throw;
        }
    }

    private Task<long> MeasureAsync(ObjectRequest request, ObjectHead stored, string coding, TransferCounters counters, CancellationToken cancellationToken) => WithPermitAsync(
        counters,
        async () =>
        {
            await using var reader = (ObjectReader)await OpenStoredAsync(new(request, stored, stored.Size, static _ => Task.CompletedTask), counters, cancellationToken);
            return await MeasureAsync(request, reader, coding);
        },
        cancellationToken);

    private static async Task<long> WithPermitAsync(TransferCounters counters, Func<Task<long>> measure, CancellationToken cancellationToken)
    {
        await counters.Measuring.WaitAsync(cancellationToken);
        try
        {
            return await measure();
        }
        finally
        {
            counters.Measuring.Release();
        }
    }

    private async Task<long> MeasureAsync(ObjectRequest request, ObjectReader reader, string coding)
    {
        var stored = reader.Head;
        var most = Math.Max(MinExpandedBytes, stored.Size!.Value > long.MaxValue / Options.MaxExpansion ? long.MaxValue : stored.Size.Value * Options.MaxExpansion);
        try
        {
            var size = await DecodingReader.MeasureAsync(reader, coding, _maxDecodedBytes > 0 ? Math.Min(most, _maxDecodedBytes) : most);
            _decodedSizes.Add(request, stored, size);
            return size;
        }
        catch (StorageException failure)
        {
            reader.Note(failure);
            throw;
        }
    }
}
