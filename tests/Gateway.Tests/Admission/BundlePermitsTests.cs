using Gateway.Admission;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Admission;

public sealed class BundlePermitsTests : IDisposable
{
    private readonly TestMetrics _metrics = new();
    private readonly BundlePermits _permits;

    public BundlePermitsTests() => _permits = Create(new LimitOptions { MaxActive = 2, MaxQueued = 1, MaxPerClient = 0, MaxMetadataPerClient = 0 });

    public void Dispose()
    {
        _permits.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task A_permit_that_is_returned_goes_to_the_one_that_waits()
    {
        var first = await TakeAsync("a");
        await TakeAsync("b");
        var third = AcquireAsync("c");
        Assert.False(third.IsCompleted);
        Assert.Equal((1L, 1L), (_permits.Queued, _metrics["gateway.bundle.queued"]));

        first.Dispose();

        Assert.NotNull((await third).Permit);
        Assert.Equal((0L, 2L), (_permits.Queued, _permits.Taken));
    }

    [Fact]
    public async Task A_full_queue_is_a_503()
    {
        await TakeAsync("a");
        await TakeAsync("b");
        Assert.False(_permits.IsFull);
        _ = AcquireAsync("c");
        Assert.True(_permits.IsFull);

        var (permit, refusal) = await AcquireAsync("d");

        Assert.Null(permit);
        Assert.Equal(503, refusal);
    }

    [Fact]
    public async Task A_client_with_too_many_is_a_429_and_others_are_served()
    {
        using var permits = Create(new LimitOptions { MaxActive = 10, MaxPerClient = 1, MaxMetadataPerClient = 1 });
        var own = (await permits.AcquireAsync("a", AdmissionKind.Bundle, CancellationToken.None)).Permit!;

        Assert.Equal((null, 429), await permits.AcquireAsync("a", AdmissionKind.Bundle, CancellationToken.None));
        Assert.NotNull((await permits.AcquireAsync("b", AdmissionKind.Bundle, CancellationToken.None)).Permit);
        Assert.NotNull((await permits.AcquireAsync("a", AdmissionKind.Metadata, CancellationToken.None)).Permit);
        own.Dispose();

        Assert.NotNull((await permits.AcquireAsync("a", AdmissionKind.Bundle, CancellationToken.None)).Permit);
    }

    [Fact]
    public async Task A_client_whose_request_was_refused_with_503_has_not_used_its_share()
    {
        using var permits = Create(new LimitOptions { MaxActive = 1, MaxQueued = 0, MaxPerClient = 1 });
        var first = (await permits.AcquireAsync("a", AdmissionKind.Bundle, CancellationToken.None)).Permit!;
        Assert.Equal((null, 503), await permits.AcquireAsync("b", AdmissionKind.Bundle, CancellationToken.None));

        first.Dispose();

        Assert.NotNull((await permits.AcquireAsync("b", AdmissionKind.Bundle, CancellationToken.None)).Permit);
    }

    [Fact]
    public async Task Metadata_requests_do_not_take_the_permits_of_bundles()
    {
        await TakeAsync("a");
        await TakeAsync("b");

        var (permit, _) = await _permits.AcquireAsync("c", AdmissionKind.Metadata, CancellationToken.None);

        Assert.NotNull(permit);
        Assert.Equal(3, _permits.Taken);
        permit.Dispose();
        Assert.Equal(2, _permits.Taken);
    }

    [Fact]
    public async Task A_client_that_stops_waiting_leaves_the_queue_and_keeps_nothing()
    {
        using var permits = Create(new LimitOptions { MaxActive = 1, MaxQueued = 1, MaxPerClient = 1 });
        using var leave = new CancellationTokenSource();
        var first = (await permits.AcquireAsync("a", AdmissionKind.Bundle, CancellationToken.None)).Permit!;
        var waiting = permits.AcquireAsync("b", AdmissionKind.Bundle, leave.Token);

        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, permits.Queued);
        first.Dispose();

        Assert.NotNull((await permits.AcquireAsync("b", AdmissionKind.Bundle, CancellationToken.None)).Permit);
    }

    private BundlePermits Create(LimitOptions limits) => new(Options.Create(limits), _metrics.Bundles);

    private Task<(IDisposable? Permit, int Refusal)> AcquireAsync(string client) => _permits.AcquireAsync(client, AdmissionKind.Bundle, CancellationToken.None);

    private async Task<IDisposable> TakeAsync(string client) => (await AcquireAsync(client)).Permit!;
}
