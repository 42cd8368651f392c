using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Testing;

namespace Reliability;

/// <summary>What a client says of a download.</summary>
internal enum Verdict
{
    /// <summary>It came to its end.</summary>
    Whole,

    /// <summary>It did not.</summary>
    Cut,

    /// <summary>It was refused before it began.</summary>
    Early,
}

/// <summary>A real client that downloads, one at a time, and says whether it has all.</summary>
internal abstract class Reader(string name) : IAsyncDisposable
{
    public string Name { get; } = name;

    public abstract Task<Verdict> GetAsync(string url);

    public abstract ValueTask DisposeAsync();
}

/// <summary>.NET's own.</summary>
[SuppressMessage("Security", "CA5359", Justification = "The certificate was made a moment ago.")]
internal sealed class HttpClientReader : Reader
{
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        SslOptions = new() { RemoteCertificateValidationCallback = (_, _, _, _) => true },
    });

    public HttpClientReader(Version version)
        : base($"HttpClient {version}")
    {
        _client.DefaultRequestVersion = version;
        _client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
    }

    /// <summary>What came last.</summary>
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
internal sealed class CurlReader(bool http2) : Reader(http2 ? "curl HTTP/2" : "curl HTTP/1.1")
{
    public override async Task<Verdict> GetAsync(string url)
    {
        var result = await Tool.RunAsync("curl", ["-sSk", "--fail", http2 ? "--http2" : "--http1.1", "-o", "/dev/null", url]);
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

/// <summary>A program that takes an address a line and answers with a word.</summary>
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
