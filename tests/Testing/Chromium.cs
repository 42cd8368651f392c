using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Testing;

/// <summary>A headless browser, driven through its DevTools protocol.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly DirectoryInfo _folder;
    private readonly ClientWebSocket _tools = new();
    private int _commands;

    private Chromium(Process process, DirectoryInfo folder)
    {
        _process = process;
        _folder = folder;
    }

    /// <summary>Starts it, or skips the test if it is not installed.</summary>
    public static async Task<Chromium> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-chromium-");
        var process = Process.Start(new ProcessStartInfo(
            Tool.Require("chromium"),
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server", "--remote-debugging-port=0", $"--user-data-dir={folder.FullName}/profile", "about:blank"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.ErrorDataReceived += (_, line) =>
        {
            const string Listening = "DevTools listening on ";
            if (line.Data?.StartsWith(Listening, StringComparison.Ordinal) == true)
            {
                listening.TrySetResult(line.Data[Listening.Length..]);
            }
        };
        process.BeginErrorReadLine();
        var chromium = new Chromium(process, folder);
        await chromium._tools.ConnectAsync(new Uri(await listening.Task.WaitAsync(Patience)), CancellationToken.None);
        return chromium;
    }

    /// <summary>Opens the URL of a download, and waits for its end. A download that the browser does not continue by itself is resumed on its
    /// downloads page, as a user would.</summary>
    public async Task<byte[]> DownloadAsync(Uri address)
    {
        var folder = _folder.CreateSubdirectory("downloads");
        await SendAsync("Browser.setDownloadBehavior", new { behavior = "allowAndName", downloadPath = folder.FullName, eventsEnabled = true });
        await SendAsync("Target.createTarget", new { url = address.ToString() });
        while (true)
        {
            using var message = JsonDocument.Parse(await ReceiveAsync());
            if (!message.RootElement.TryGetProperty("method", out var method) || method.GetString() != "Browser.downloadProgress")
            {
                continue;
            }

            var progress = message.RootElement.GetProperty("params");
            var state = progress.GetProperty("state").GetString();
            if (state == "canceled")
            {
                // After this the protocol reports nothing more about it.
                await ResumeAsync();
            }

            if (state is "completed" or "canceled")
            {
                return await File.ReadAllBytesAsync(Path.Combine(folder.FullName, progress.GetProperty("guid").GetString()!));
            }
        }
    }

    /// <summary>Opens a page, runs a script in it, and returns the value of its promise.</summary>
    public async Task<JsonElement> RunAsync(Uri page, string script)
    {
        var target = (await CallAsync("Target.createTarget", new { url = page.ToString() })).GetProperty("targetId").GetString();
        var session = (await CallAsync("Target.attachToTarget", new { targetId = target, flatten = true })).GetProperty("sessionId").GetString()!;
        while ((await EvaluateAsync("location.href + document.readyState")).GetString() != page + "complete")
        {
            await Task.Yield();
        }

        return await EvaluateAsync(script);

        async Task<JsonElement> EvaluateAsync(string expression) =>
            (await CallAsync("Runtime.evaluate", new { awaitPromise = true, returnByValue = true, expression }, session)).GetProperty("result").GetProperty("value").Clone();
    }

    public async ValueTask DisposeAsync()
    {
        _tools.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>Presses the button on the downloads page whenever it appears, until the file is complete.</summary>
    private async Task ResumeAsync()
    {
        var target = (await CallAsync("Target.createTarget", new { url = "chrome://downloads" })).GetProperty("targetId").GetString();
        var session = (await CallAsync("Target.attachToTarget", new { targetId = target, flatten = true })).GetProperty("sessionId").GetString()!;
        var parameters = new
        {
            awaitPromise = true,
            expression = """
                (async () => {
                  for (let i = 0; i < 1500; i++) {
                    const item = document.querySelector('downloads-manager')?.shadowRoot?.querySelector('downloads-item')?.shadowRoot;
                    if (item?.querySelector('#fileLink') && !item.querySelector('#fileLink').hidden) { return; }
                    [...(item?.querySelectorAll('button') ?? [])].find(b => b.textContent.trim() === 'Resume' && !b.hidden)?.click();
                    await new Promise(r => setTimeout(r, 20));
                  }
                  throw new Error('the download does not end');
                })()
                """,
        };
        while (await TryCallAsync("Runtime.evaluate", parameters, session) is null)
        {
            // The script ran before the page was loaded, and ended with the empty one before it.
        }
    }

    private async Task<JsonElement> CallAsync(string method, object parameters, string? session = null) =>
        await TryCallAsync(method, parameters, session) ?? throw new InvalidOperationException($"The browser rejects {method}.");

    /// <returns>Null if the browser responds with an error.</returns>
    private async Task<JsonElement?> TryCallAsync(string method, object parameters, string? session = null)
    {
        var id = await SendAsync(method, parameters, session);
        while (true)
        {
            using var message = JsonDocument.Parse(await ReceiveAsync());
            if (message.RootElement.TryGetProperty("id", out var answered) && answered.GetInt32() == id)
            {
                if (!message.RootElement.TryGetProperty("result", out var reply))
                {
                    return null;
                }

                var result = reply.Clone();
                Assert.False(result.TryGetProperty("exceptionDetails", out var details), details.ToString());
                return result;
            }
        }
    }

    private async Task<int> SendAsync(string method, object parameters, string? session = null)
    {
        var message = new Dictionary<string, object> { ["id"] = ++_commands, ["method"] = method, ["params"] = parameters };
        if (session is not null)
        {
            message["sessionId"] = session;
        }

        await _tools.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        return _commands;
    }

    private async Task<string> ReceiveAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        var text = new StringBuilder();
        var buffer = new byte[64 * 1024];
        WebSocketReceiveResult part;
        do
        {
            part = await _tools.ReceiveAsync(buffer, patience.Token);
            Assert.NotEqual(WebSocketMessageType.Close, part.MessageType);
            text.Append(Encoding.UTF8.GetString(buffer, 0, part.Count));
        }
        while (!part.EndOfMessage);
        return text.ToString();
    }
}
