using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Testing;

namespace Gateway.FunctionalTests.Bundles;

/// <summary>A failure of the gateway in the middle of an archive: row 33 of the fault table.</summary>
public sealed class WriterFaultTests : IAsyncDisposable
{
    private const int Size = 1_000_000;

    private readonly ScriptedUpstream _upstream = new();

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [MemberData(nameof(Ways.All), MemberType = typeof(Ways))]
    public async Task Row_33_An_archive_writer_that_throws_aborts_and_the_process_survives(Protocol protocol, string recipe)
    {
        _upstream.Put("/a", new ObjectContent(Size, 1, compressible: false), "\"v1\"");
        await using var gateway = await GatewayUnderTest.StartAsync(
            GatewayUnderTest.Configuration(("s", [_upstream.Address])), builder => builder.Services.AddSingleton<IStartupFilter>(new FaultyOutput(Size / 2)));

        await RequireFaultAsync(gateway, protocol, recipe);
    }

    private static async Task RequireFaultAsync(GatewayUnderTest gateway, Protocol protocol, string recipe)
    {
        (await Download.GetAsync(gateway.ClientOf(protocol), $"/bundle?ids=s/a&{recipe}")).RequireCut();

        Assert.Equal("Gateway/Fault", (await gateway.RequireOneOutcomeAsync()).Blame);
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/health/ready")).StatusCode);
    }

    /// <summary>Makes the body of every bundle throw while the archive's writer runs.</summary>
    private sealed class FaultyOutput(int after) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((context, rest) =>
            {
                if (context.Request.Path == "/bundle")
                {
                    context.Features.Set<IHttpResponseBodyFeature>(new Body(context.Features.GetRequiredFeature<IHttpResponseBodyFeature>(), after));
                }

                return rest(context);
            });
            next(app);
        };
    }

    private sealed class Body(IHttpResponseBodyFeature inner, int after) : IHttpResponseBodyFeature
    {
        public Stream Stream => inner.Stream;

        public PipeWriter Writer { get; } = new FaultyWriter(inner.Writer, after);

        public void DisableBuffering() => inner.DisableBuffering();

        public Task StartAsync(CancellationToken cancellationToken = default) => inner.StartAsync(cancellationToken);

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task CompleteAsync() => inner.CompleteAsync();
    }

    private sealed class FaultyWriter(PipeWriter inner, int after) : PipeWriter
    {
        private int _left = after;

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes)
        {
            _left -= bytes;
            inner.Advance(bytes);
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => _left > 0 ? inner.GetMemory(sizeHint) : throw new InvalidOperationException("the body is full");

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);
    }
}
