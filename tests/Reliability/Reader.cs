using System.Diagnostics;
using System.Net;
using Testing;

namespace Reliability;

/// <summary>What a client reports about a download.</summary>
internal enum Verdict
{
    /// <summary>It completed.</summary>
    Whole,

    /// <summary>It was truncated.</summary>
    Cut,

    /// <summary>It was rejected before it began.</summary>
    Early,
}

/// <summary>A real client that downloads one archive at a time, and reports whether it is complete.</summary>
internal abstract class Reader(string name) : IAsyncDisposable
{
    public string Name { get; } = name;

    public abstract Task<Verdict> GetAsync(string url);

    public abstract ValueTask DisposeAsync();
}

/// <summary>.NET's HttpClient.</summary>
internal sealed class HttpClientReader(Protocol protocol) : Reader($"HttpClient {protocol.Version()}")
{
    private readonly HttpClient _client = protocol.CreateClient(new Uri("http://localhost"));

    /// <summary>The bytes of the last download.</summary>
    public byte[] Bytes { get; private set; } = [];

    public override async Task<Verdict> GetAsync(string url)
    {
        var download = await Download.GetAsync(_client, url);
        Bytes = download.Bytes;
        return download.IsCut ? Verdict.Cut : download.Status == HttpStatusCode.OK ? Verdict.Whole : Verdict.Early;
    }

    public override ValueTask DisposeAsync()
    {
        _client.Dispose();
        return default;
    }
}

/// <summary>curl, a process for each download.</summary>
internal sealed class CurlReader(Protocol protocol) : Reader($"curl HTTP/{protocol.Version()}")
{
    private readonly string _option = protocol switch { Protocol.Http2 => "--http2-prior-knowledge", Protocol.Http2Tls => "--http2", _ => "--http1.1" };

    public override async Task<Verdict> GetAsync(string url)
    {
        var result = await Tool.RunAsync("curl", ["-sSk", "--fail", _option, "-o", "/dev/null", url]);
        return result.ExitCode switch
        {
            0 => Verdict.Whole,
            18 or 56 or 92 => Verdict.Cut,
            22 => Verdict.Early,
            var code => throw new InvalidOperationException($"curl exits {code}: {result.Error}"),
        };
    }

    public override ValueTask DisposeAsync() => default;
}

/// <summary>A program that reads one URL per line and replies with a word.</summary>
internal sealed class ScriptReader : Reader
{
    private readonly Process _process;
    private readonly string _way;

    public ScriptReader(string program, string script, string way)
        : base(way)
    {
        _way = way;
        _process = Process.Start(new ProcessStartInfo(Tool.Require(program), [Path.Combine(AppContext.BaseDirectory, "Clients", script)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }

    public override async Task<Verdict> GetAsync(string url)
    {
        await _process.StandardInput.WriteLineAsync($"{_way} {url}");
        await _process.StandardInput.FlushAsync();
        return Enum.Parse<Verdict>(await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"{_way} has ended"), ignoreCase: true);
    }

    public override async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
