using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Testing;

/// <summary>How a bundle ended, according to the operator's log.</summary>
internal sealed record Outcome(IReadOnlyDictionary<string, object?> Fields, Exception? Exception)
{
    public string Blame => $"{Fields["Origin"]}/{Fields["Reason"]}";

    public int? EntryIndex => (int?)Fields.GetValueOrDefault("EntryIndex");

    public int Resumes => (int)Fields["Resumes"]!;

    public int Retries => (int)Fields["Retries"]!;

    public long BytesIn => (long)Fields["BytesIn"]!;

    public long BytesOut => (long)Fields["BytesOut"]!;

    public double UpstreamSeconds => (double)Fields["UpstreamSeconds"]!;

    public double ClientSeconds => (double)Fields["ClientSeconds"]!;
}

/// <summary>Collects the outcome lines, and all other lines, for tests of what must not appear there.</summary>
internal sealed class OutcomeLog : ILoggerProvider
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Written out again, because the product's own definition is under test.
    private static readonly SearchValues<char> Obeyed = SearchValues.Create(
        [.. Enumerable.Range(0, 0xA0).Select(c => (char)c).Where(c => char.IsControl(c) && c != '\n'), '\u2028', '\u2029', .. "\u061C\u200E\u200F", .. "\u202A\u202B\u202C\u202D\u202E", .. "\u2066\u2067\u2068\u2069"]);

    private readonly Channel<Outcome> _outcomes = Channel.CreateUnbounded<Outcome>();

    private readonly ConcurrentQueue<Outcome> _all = new();

    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>The number of outcomes.</summary>
    public int Seen => _all.Count;

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<Outcome> All => _all;

    /// <summary>Outcomes that no test has taken yet.</summary>
    public int Pending => _outcomes.Reader.Count;

    /// <summary>Whether a line contains something unescaped that a client or storage sent.</summary>
    public static bool IsRaw(string line) => line.AsSpan().ContainsAny(Obeyed);

    /// <summary>The next outcome; it may be written a moment after the client has seen the end.</summary>
    public async Task<Outcome> NextAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        return await _outcomes.Reader.ReadAsync(patience.Token);
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(OutcomeLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            log.Lines.Enqueue($"{logLevel} {category}: {formatter(state, exception)} {exception}");
            if (eventId is { Id: 1, Name: "Bundle" } && state is IReadOnlyList<KeyValuePair<string, object?>> fields)
            {
                var outcome = new Outcome(fields.ToDictionary(pair => pair.Key, pair => pair.Value), exception);
                log._all.Enqueue(outcome);
                log._outcomes.Writer.TryWrite(outcome);
            }
        }
    }
}
