using System.Net.Sockets;
using System.Text;
using Testing;

namespace Gateway.FunctionalTests.Telemetry;

/// <summary>The log output of the process, on a terminal and in a file, contains nothing unescaped from clients or storage.</summary>
public class LogTests
{
    // Escape sequences that a terminal interprets (C0 and C1), a bell, a cleared screen, and lines that imitate the log's own.
    private static readonly string[] Heads =
    [
        "HTTP/1.1 \u001B[31mFORGED OK\r\n\r\n",
        "HTTP/1.1 200 \u001B]0;FORGED\u0007\u009B2J\r\nContent-Length: \u001B[2J\r\n\r\n",
        "\u001B[2J\u009B31mFORGED\r\n\r\n",
        "HTTP/1.1 200 OK\r\nFORGED\u001B[1m: x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\u001B[31mFORGED\r\n",
        "HTTP/1.1 200 OK\rFORGED\r\nContent-Length: 0\r\n\r\n",
        "HTZP/1.1 abc\rFORGED\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://\u001B[31mFORGED/\r\nContent-Length: 0\r\n\r\n",
    ];

    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public async Task Hostile_3_The_log_escapes_what_clients_and_storage_send(string environment)
    {
        await using var upstream = new ScriptedUpstream();
        for (var i = 0; i < Heads.Length; i++)
        {
            upstream.Fail($"/{i}", new Fault { Head = Heads[i], Ending = Ending.Close, Times = 100 });
        }

        var configuration = GatewayUnderTest.Configuration(("s", [upstream.Address]));
        GatewayUnderTest.Set(configuration, "Logging:LogLevel:Default", "Debug");
        GatewayUnderTest.Set(configuration, "Logging:LogLevel:Microsoft.AspNetCore", "Debug");
        GatewayUnderTest.Set(configuration, "Logging:LogLevel:Yarp", "Debug");
        GatewayUnderTest.Set(configuration, "Bundle:Upstream:Attempts", 1);
        await using var process = await GatewayProcess.StartAsync(configuration, environment);

        for (var i = 0; i < Heads.Length; i++)
        {
            await RawAsync(process.Address, $"GET /bundle?ids=s/{i}&missing=abort HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            await RawAsync(process.Address, $"GET /s/{i} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        }

        foreach (var request in new[]
            {
                "GET /bundle?ids=s/a%1B%5B31m%0AFORGED%E2%80%AE HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET /s/%1B%5B31m%0AFORGED%C2%9B%E2%80%AE%E2%80%A8 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET /s/a HTTP/1.1\r\nHost: x\r\nX-Api-Key: \u001B[31m\r\nConnection: close\r\n\r\n",
                "GET /s/a\u001B[31mFORGED HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "\u001B[31mFORGED / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: \u001B[31mFORGED\r\nConnection: close\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nFORGED\u001B: x\r\nConnection: close\r\n\r\n",
                "POST /bundle HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\u001B[31m\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
                "POST /bundle HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 36\r\n\r\n{\"\\u001b[31mFORGED\\u202e\":1,\"x\":\"y\"}",
            })
        {
            await RawAsync(process.Address, request);
        }

        await process.TerminateAsync();
        Assert.Equal(0, await process.ExitCodeAsync());
        Assert.True(process.Output.Count > 50, "the log was written");
        Assert.DoesNotContain(process.Output, OutcomeLog.IsRaw);
        Assert.DoesNotContain(process.Output, line => line.StartsWith("FORGED", StringComparison.Ordinal));
    }

    private static async Task RawAsync(Uri address, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        var stream = client.GetStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
            await stream.CopyToAsync(Stream.Null);
        }
        catch (IOException)
        {
            // Truncated, as expected.
        }
    }
}
