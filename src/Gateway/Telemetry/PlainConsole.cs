using System.Globalization;
using Gateway.Storage.Paths;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Gateway.Telemetry;

/// <summary>
/// The console's own formats, without anything that a terminal would interpret. The gateway does not log clients' text unescaped, but exceptions
/// of libraries repeat what storage sent (a status line, a header), including escape sequences.
/// </summary>
internal sealed class PlainConsole(IServiceProvider services, IHostEnvironment environment) : ConsoleFormatter(FormatName)
{
    private const string FormatName = "plain";

    private readonly string _format = environment.IsProduction() ? ConsoleFormatterNames.Json : ConsoleFormatterNames.Simple;
    private ConsoleFormatter? _inner;

    public static void Add(ILoggingBuilder logging)
    {
        logging.AddConsole(console => console.FormatterName = FormatName);
        logging.AddConsoleFormatter<PlainConsole, ConsoleFormatterOptions>();
    }

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        // The formats include this one, so the list can be requested only after construction.
        _inner ??= services.GetServices<ConsoleFormatter>().First(formatter => formatter.Name == _format);
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        _inner.Write(logEntry, scopeProvider, line);
        var rest = line.GetStringBuilder().ToString().AsSpan();
        while (rest.IndexOfAny(HiddenCharacters.All) is >= 0 and var at)
        {
            textWriter.Write(rest[..at]);

            // Line ends come from the formats: JSON has none within a line, and the other one indents continuation lines.
            if (rest[at] == '\n' || rest[at..].StartsWith("\r\n"))
            {
                textWriter.Write(rest[at]);
            }
            else
            {
                // An escape in a JSON string, elsewhere the character's name.
                textWriter.Write(string.Create(CultureInfo.InvariantCulture, $"\\u{(int)rest[at]:X4}"));
            }

            rest = rest[(at + 1)..];
        }

        textWriter.Write(rest);
    }
}
