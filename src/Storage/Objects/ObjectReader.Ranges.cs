using Gateway.Storage.Failures;

namespace Gateway.Storage.Objects;

/// <content>Reading a large object with several parallel requests: the first one gives the beginning, the others the remainder.</content>
internal sealed partial class ObjectReader
{
    private ParallelRanges? _ranges;

    public void StartRanges(ByteBudget budget)
    {
        if (_buffer is null && _position == 0 && _part.End is null)
        {
            _ranges = ParallelRanges.TryStart(_store, new(_request, Head, default), _counters, budget, _cancellationToken);
        }
    }

    private async Task<int> ReadRangesAsync(ParallelRanges ranges, Memory<byte> buffer)
    {
        try
        {
            if (_attempt is { } first)
            {
                // The beginning has been read. The first body is read further only if storage does not serve ranges.
                first.PauseReading();
                if (first.IsLimited)
                {
                    await ReleaseAsync();
                }
            }

            var count = await ranges.ReadAsync(buffer);
            await CloseAsync();
            _isReleased = false;
            return count;
        }
        catch (StorageException e) when (e.Reason == FailureReason.RangesNotServed && (_attempt is not null || _isReleased))
        {
            // Storage does not serve ranges. The first body is still where they would begin, or can be opened again.
            await StopRangesAsync();
            return await ReadBodyAsync(buffer);
        }
    }

    private async ValueTask StopRangesAsync()
    {
        if (_ranges is { } ranges)
        {
            _ranges = null;
            await ranges.DisposeAsync();
        }
    }
}
