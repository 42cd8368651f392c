using System.Globalization;
using Gateway.Storage.Paths;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Gateway.Telemetry;

/// <summary>
/// The console's own formats, without anything a terminal would obey. What clients send is not logged by us, but other people's
/// exceptions repeat what storage sent (a status line, a header), escape sequences and all.
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
        // One of the formats, as this is, so it cannot be asked for before this is made.
        _inner ??= services.GetServices<ConsoleFormatter>().First(formatter => formatter.Name == _format);
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        _inner.Write(logEntry, scopeProvider, line);
        var rest = line.GetStringBuilder().ToString().AsSpan();
        while (rest.IndexOfAny(HiddenCharacters.All) is >= 0 and var at)
        {
            textWriter.Write(rest[..at]);

            // Line ends are the formats' own: JSON has none within a line, and the other one indents what goes on.
            if (rest[at] == '\n' || rest[at..].StartsWith("\r\n"))
            {
                textWriter.Write(rest[at]);
            }
            else
            {
                // In a string of JSON the same character, elsewhere its name.
                textWriter.Write(string.Create(CultureInfo.InvariantCulture, $"\\u{(int)rest[at]:X4}"));
            }

            rest = rest[(at + 1)..];
        }

        textWriter.Write(rest);
    }
}
