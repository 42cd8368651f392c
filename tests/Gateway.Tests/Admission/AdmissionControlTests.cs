using System.Net;
using Gateway.Admission;
using Gateway.Responses;
using Gateway.Storage.Failures;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Admission;

public sealed class AdmissionControlTests : IDisposable
{
    private const int Megabyte = 1 << 20;

    private readonly TestMetrics _metrics = new();
    private readonly TestLifetime _lifetime = new();
    private readonly LimitOptions _limits = new() { MaxActive = 1, MaxQueued = 0, MaxPerClient = 2, MaxMetadataPerClient = 1 };
    private readonly BundleMemory _memory;
    private readonly BundlePermits _permits;
    private readonly Drain _drain;
    private readonly AdmissionControl _control;
    private readonly DefaultHttpContext _http = new();

    public AdmissionControlTests()
    {
        _memory = new BundleMemory(Options.Create(new MemoryOptions { MaxBytes = 64 * Megabyte }), Options.Create(_limits));
        _permits = new BundlePermits(Options.Create(_limits), _metrics.Bundles);
        _drain = new Drain(Options.Create(new DrainOptions { Delay = TimeSpan.Zero }), new FakeTimeProvider(), _lifetime, NullLogger<Drain>.Instance);
        _control = new AdmissionControl(_permits, _memory, _drain, _metrics.Bundles);
        _http.Connection.RemoteIpAddress = IPAddress.Loopback;
    }

    public void Dispose()
    {
        _drain.Dispose();
        _permits.Dispose();
        _memory.Dispose();
        _lifetime.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task A_lease_covers_a_permit_and_memory_until_it_is_disposed()
    {
        var lease = await _control.AcquireAsync(_http, new ArchiveMemory(Needed: 2 * Megabyte, Objects: Megabyte, Ranges: Megabyte), CancellationToken.None);
        Assert.Equal((1L, 1L), (_permits.Taken, _metrics["gateway.bundle.active"]));
        Assert.Equal((2 * Megabyte) + (384 * 1024) + (2 * Megabyte), _memory.Leased);
        Assert.Equal(((long)Megabyte, (long)Megabyte), (lease.Prefetch!.Objects.Total, lease.Prefetch.Ranges.Total));

        lease.Dispose();

        Assert.Equal((0L, 0L, 0L), (_permits.Taken, _metrics["gateway.bundle.active"], _memory.Leased));
    }

    [Fact]
    public async Task A_metadata_request_needs_no_memory()
    {
        using var lease = await _control.AcquireAsync(_http, AdmissionKind.Metadata, CancellationToken.None);

        Assert.Null(lease.Prefetch);
        Assert.Equal(0, _memory.Leased);
    }

    [Fact]
    public async Task Too_many_bundles_are_a_503_and_too_many_of_a_client_a_429_that_names_the_option()
    {
        using var first = await _control.AcquireAsync(_http, AdmissionKind.Bundle, CancellationToken.None);
        using var metadata = await _control.AcquireAsync(_http, AdmissionKind.Metadata, CancellationToken.None);

        var full = await Assert.ThrowsAsync<BundleProblemException>(() => _control.AcquireAsync(_http, AdmissionKind.Bundle, CancellationToken.None));
        var greedy = await Assert.ThrowsAsync<BundleProblemException>(() => _control.AcquireAsync(_http, AdmissionKind.Metadata, CancellationToken.None));

        Assert.Equal((503, "Too many bundles are running. Try again later.", FailureReason.LimitReached), (full.StatusCode, full.Message, full.Reason));
        Assert.Equal(
            (429, "This client has too many metadata requests running (option Bundle:Limits:MaxMetadataPerClient). Try again later.", FailureReason.LimitReached),
            (greedy.StatusCode, greedy.Message, greedy.Reason));
    }

    [Fact]
    public async Task While_the_process_drains_no_request_is_admitted_and_none_keeps_a_permit()
    {
        await _drain.StoppingAsync(CancellationToken.None);

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => _control.AcquireAsync(_http, AdmissionKind.Bundle, CancellationToken.None));

        Assert.Equal((503, FailureReason.Draining), (problem.StatusCode, problem.Reason));
        Assert.Equal((0L, 0L), (_permits.Taken, _metrics["gateway.bundle.active"]));
    }

    [Fact]
    public async Task A_client_that_stops_waiting_for_memory_keeps_nothing()
    {
        using var leave = new CancellationTokenSource();
        using var other = await _memory.EnterAsync(48 * Megabyte, 0, CancellationToken.None);
        var waiting = _control.AcquireAsync(_http, new ArchiveMemory(Megabyte, 0, 0), leave.Token);
        Assert.False(waiting.IsCompleted);

        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        Assert.Equal((0L, 48L * Megabyte), (_permits.Taken, _memory.Leased));
    }

    [Fact]
    public async Task A_lease_is_waited_for_when_the_process_stops()
    {
        var lease = await _control.AcquireAsync(_http, AdmissionKind.Metadata, CancellationToken.None);
        var stopping = _drain.StoppingAsync(CancellationToken.None);
        Assert.False(stopping.IsCompleted);

        lease.Dispose();

        await stopping;
        Assert.False(_drain.Cut.IsCancellationRequested);
    }
}
