using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Xunit;

namespace Testing;

/// <summary>An external program, if the machine has it. In CI everything must be installed.</summary>
internal static partial class Tool
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>The program's path; without it the test is skipped with a reason, or fails in CI.</summary>
    public static string Require(string name)
    {
        var path = Find(name);
        if (path is null && Environment.GetEnvironmentVariable("CI") == "true")
        {
            Assert.Fail($"{name} is not installed, and CI skips nothing");
        }

        Assert.SkipWhen(path is null, $"{name} is not installed on this machine");
        return path!;
    }

    /// <summary>The same for a native library.</summary>
    public static void RequireLibrary(string name)
    {
        var exists = NativeLibrary.TryLoad(name, out _);
        Assert.False(!exists && Environment.GetEnvironmentVariable("CI") == "true", $"{name} is not installed, and CI skips nothing");
        Assert.SkipUnless(exists, $"{name} is not installed on this machine");
    }

    /// <summary>The same for a file, for instance a library of Java.</summary>
    public static void RequireFile(string path)
    {
        var exists = File.Exists(path);
        Assert.False(!exists && Environment.GetEnvironmentVariable("CI") == "true", $"{path} is not installed, and CI skips nothing");
        Assert.SkipUnless(exists, $"{path} is not installed on this machine");
    }

    /// <summary>The same for a module of Node, which looks for it in <c>NODE_PATH</c>.</summary>
    public static async Task RequireNodeModuleAsync(string name)
    {
        var exists = (await RunAsync("node", ["-e", $"require('{name}')"])).ExitCode == 0;
        Assert.False(!exists && Environment.GetEnvironmentVariable("CI") == "true", $"Node's module {name} is not installed, and CI skips nothing");
        Assert.SkipUnless(exists, $"Node's module {name} is not installed on this machine (npm install {name}, NODE_PATH)");
    }

    /// <summary>The path of a program that a package of Node brings, which is next to the modules of <c>NODE_PATH</c> or on the path.</summary>
    public static string RequireNodeProgram(string name)
    {
        Require("node");
        return (Environment.GetEnvironmentVariable("NODE_PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, ".bin", name)).FirstOrDefault(File.Exists) ?? Require(name);
    }

    public static bool Exists(string name) => Find(name) is not null;

    /// <summary>Waits until a server listens; false if it has exited instead. The port must be a <see cref="ReservedPort"/>: else another server may answer.</summary>
    public static async Task<bool> AnswersAsync(Process process, int port)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!process.HasExited)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port);
                return true;
            }
            catch (SocketException)
            {
                await timer.WaitForNextTickAsync();
            }
        }

        return false;
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(string name, string[] arguments, byte[]? input = null, string? folder = null)
    {
        if (name is "sh" or "bash" && arguments is ["-c", var script])
        {
            foreach (Match command in CommandOf().Matches(Quoted().Replace(script, "''")))
            {
                Require(command.Groups[1].Value);
            }
        }

        using var process = Process.Start(new ProcessStartInfo(Require(name), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        })!;
        using var patience = new CancellationTokenSource(Patience);
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var error = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            if (input is not null)
            {
                await process.StandardInput.BaseStream.WriteAsync(input, patience.Token);
            }

            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program has read all it needs.
        }

        await process.WaitForExitAsync(patience.Token);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>The programs of a script: the first word of each command of its pipelines, except shell builtins.</summary>
    [GeneratedRegex(@"(?:^|[|;&])\s*(?!set\b|wait\b|echo\b|printf\b)([a-z][\w-]*)")]
    private static partial Regex CommandOf();

    [GeneratedRegex("'[^']*'")]
    private static partial Regex Quoted();

    private static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin")
        .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}
