using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Gateway.Storage.Failures;

namespace Gateway.Storage.Objects;

/// <content>Continuing a body that broke, stalled, or was closed during a pause.</content>
internal sealed partial class ObjectReader
{
    /// <summary>Abandons the attempt and returns the reason.</summary>
    private async Task<StorageException> BrokenAsync(Exception? exception)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        var failure = exception as StorageException ?? (_stall.IsCancellationRequested
            ? new StorageException(FailureReason.BodyStalled, $"Storage sent nothing for {_store.Options.StallTimeout.TotalSeconds:0.###} s.", inner: exception)
            : exception is HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse }
                ? new StorageException(FailureReason.BodyBroken, $"After {_position} bytes storage sent a chunk that is not valid (RFC 9112, section 7.1).") { LogDetail = exception.Message }
                : new StorageException(FailureReason.BodyBroken, $"Storage broke off after {_position} bytes.", inner: exception));
        Note(failure);
        if (!_hasPaused || _stall.IsCancellationRequested)
        {
            _attempt?.ReportBroken(failure);
            _traffic?.CountBroken();
        }

        await CloseAsync();
        return failure;
    }

    private async Task<int> ResumeAsync(StorageException failure, Memory<byte> buffer)
    {
        // Without a length or a strong validator it is unknown whether the remainder belongs to the beginning.
        if (Head.Size is null)
        {
            throw failure.With("It cannot be continued: storage does not state its length.");
        }

        if (_position > 0 && Head.ETag is null)
        {
            throw failure.With("It cannot be continued: storage sends no strong ETag for it.");
        }

        if (_slowInARow >= _store.Options.Attempts)
        {
            throw failure;
        }

        CountResume();
        return await ContinueAsync(buffer);
    }

    /// <summary>Requests the remainder, and reads its first bytes.</summary>
    private async Task<int> ContinueAsync(Memory<byte> buffer)
    {
        await CloseAsync();
        try
        {
            return Took(await _store.ContinueAsync(new(_request, Head, _part with { From = _position }), _counters, response => ReadFirstAsync(response, buffer), _cancellationToken));
        }
        catch (StorageException exhausted)
        {
            // All attempts are used up; the caller must not start over.
            throw exhausted.AsFinal();
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A continued body that breaks at once is a failed attempt.")]
    private async Task<int> ReadFirstAsync(PartResponse response, Memory<byte> buffer)
    {
        Install(response);
        KnowsNoRanges |= response.Skip > 0;
        buffer = AtMost(buffer, (_responseEnd ?? long.MaxValue) - _position);

        Exception? exception = null;
        try
        {
            if (await SkipAsync(response.Body, response.Skip) && await AwaitAsync(response.Body.ReadAsync(buffer, _stall.Token)) is > 0 and var count)
            {
                return count;
            }
        }
        catch (Exception e)
        {
            exception = e;
        }

        throw await BrokenAsync(exception);
    }

    /// <summary>Skips what was already read in a body that begins at 0; false if it ends earlier.</summary>
    private async Task<bool> SkipAsync(Stream body, long skip)
    {
        if (skip == 0)
        {
            return true;
        }

        var dropped = ArrayPool<byte>.Shared.Rent(SkipBuffer);
        try
        {
            for (var count = 1; skip > 0 && count > 0; skip -= count)
            {
                count = await AwaitAsync(body.ReadAsync(dropped.AsMemory(0, (int)Math.Min(dropped.Length, skip)), _stall.Token));
            }

            return skip == 0;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(dropped);
        }
    }
}
