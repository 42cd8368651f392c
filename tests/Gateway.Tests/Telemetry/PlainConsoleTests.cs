using Gateway.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Gateway.Tests.Telemetry;

public class PlainConsoleTests
{
    [Theory]
    [InlineData("plain text, grüße", "plain text, grüße")]
    [InlineData("one\ntwo\r\nthree\n", "one\ntwo\r\nthree\n")]
    [InlineData("\u001b[31mred\u001b[0m", "\\u001B[31mred\\u001B[0m")]
    [InlineData("a\rb", "a\\u000Db")]
    [InlineData("a\tb\u202Ec", "a\\u0009b\\u202Ec")]
    [InlineData("\uFFFD", "\\uFFFD")]
    public void Nothing_in_the_log_is_interpreted_by_a_terminal(string line, string expected) => Assert.Equal(expected, Write("Production", line));

    [Theory]
    [InlineData("Production", "json")]
    [InlineData("Development", "simple")]
    [InlineData("Staging", "simple")]
    public void In_production_the_log_is_JSON(string environment, string format) => Assert.Equal(format, Write(environment, null));

    private static string Write(string environment, string? line)
    {
        using var services = new ServiceCollection()
            .AddSingleton<ConsoleFormatter>(new Format("simple", line))
            .AddSingleton<ConsoleFormatter>(new Format("json", line))
            .BuildServiceProvider();
        var console = new PlainConsole(services, new Environment { EnvironmentName = environment });
        using var written = new StringWriter();
        console.Write(new LogEntry<string>(LogLevel.Information, "category", default, "state", null, (state, _) => state), null, written);
        return written.ToString();
    }

    /// <summary>A format that writes the same line always, or else its own name.</summary>
    private sealed class Format(string name, string? line) : ConsoleFormatter(name)
    {
        public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter) => textWriter.Write(line ?? Name);
    }

    private sealed class Environment : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = "";

        public string ApplicationName { get; set; } = "";

        public string ContentRootPath { get; set; } = "";

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
