using Gateway.Admission;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Admission;

public sealed class DrainTests : IDisposable
{
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);

    private readonly FakeTimeProvider _time = new();
    private readonly TestLifetime _lifetime = new();

    public void Dispose() => _lifetime.Dispose();

    [Fact]
    public void A_process_is_started_and_then_draining()
    {
        using var drain = Create(Delay);
        Assert.Equal((false, false), (drain.IsStarted, drain.IsDraining));

        _lifetime.Start();
        Assert.Equal((true, false), (drain.IsStarted, drain.IsDraining));
        _lifetime.StopApplication();

        Assert.Equal((true, true), (drain.IsStarted, drain.IsDraining));
    }

    [Fact]
    public async Task New_bundles_are_accepted_until_the_delay_has_passed()
    {
        using var drain = Create(Delay);
        var stopping = drain.StoppingAsync(CancellationToken.None);

        _time.Advance(Delay - TimeSpan.FromTicks(1));
        Assert.True(drain.TryEnter());
        drain.Leave();
        _time.Advance(TimeSpan.FromTicks(1));
        await stopping;

        Assert.False(drain.TryEnter());
        Assert.False(drain.Cut.IsCancellationRequested);
    }

    [Fact]
    public async Task Running_bundles_are_waited_for()
    {
        using var drain = Create(TimeSpan.Zero);
        drain.TryEnter();
        drain.TryEnter();
        var stopping = drain.StoppingAsync(CancellationToken.None);

        drain.Leave();
        Assert.False(drain.TryEnter());
        Assert.False(stopping.IsCompleted);
        drain.Leave();
        await stopping;

        Assert.False(drain.Cut.IsCancellationRequested);
    }

    [Fact]
    public async Task Bundles_that_are_not_done_at_the_timeout_are_cut()
    {
        using var drain = Create(TimeSpan.Zero);
        drain.TryEnter();
        var stopping = drain.StoppingAsync(CancellationToken.None);

        _time.Advance(Timeout - TimeSpan.FromTicks(1));
        Assert.False(drain.Cut.IsCancellationRequested);
        _time.Advance(TimeSpan.FromTicks(1));
        await stopping;

        Assert.True(drain.Cut.IsCancellationRequested);
        drain.Leave();
    }

    [Fact]
    public async Task A_host_that_waits_no_longer_cuts_them_too()
    {
        using var impatient = new CancellationTokenSource();
        using var drain = Create(TimeSpan.Zero);
        drain.TryEnter();
        var stopping = drain.StoppingAsync(impatient.Token);

        await impatient.CancelAsync();
        await stopping;

        Assert.True(drain.Cut.IsCancellationRequested);
    }

    [Fact]
    public async Task Without_running_bundles_there_is_nothing_to_wait_for()
    {
        using var drain = Create(TimeSpan.Zero);
        drain.TryEnter();
        drain.Leave();

        await drain.StoppingAsync(CancellationToken.None);

        Assert.False(drain.Cut.IsCancellationRequested);
    }

    private Drain Create(TimeSpan delay) =>
        new(Options.Create(new DrainOptions { Delay = delay, Timeout = Timeout }), _time, _lifetime, NullLogger<Drain>.Instance);
}
