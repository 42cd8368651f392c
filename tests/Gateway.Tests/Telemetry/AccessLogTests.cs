using Gateway.Storage.Failures;
using Gateway.Telemetry;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Telemetry;

public class AccessLogTests
{
    private readonly Sink _log = new();

    [Fact]
    public void A_line_has_the_fields_with_a_value_in_their_order()
    {
        AccessLog.Write(_log, LogLevel.Warning, [("B", "text"), ("Empty", ""), ("None", null), ("A", 0), ("C", FailureOrigin.Client)], null);

        Assert.Equal("B=text A=0 C=Client", _log.Text);
        Assert.Equal([new("B", "text"), new("A", 0), new KeyValuePair<string, object?>("C", FailureOrigin.Client)], _log.Fields);
        Assert.Equal((LogLevel.Warning, "Bundle"), (_log.Level, _log.Event.Name));
    }

    [Theory]
    [InlineData("plain,text:1;2", "plain,text:1;2")]
    [InlineData("two words", "\"two words\"")]
    [InlineData("a=b", "\"a=b\"")]
    [InlineData("say \"hi\"", "\"say \\\"hi\\\"\"")]
    [InlineData("back\\slash", "\"back\\\\slash\"")]
    [InlineData("\"", "\"\\\"\"")]
    [InlineData("ends with \\", "\"ends with \\\\\"")]
    [InlineData("grüße", "grüße")]
    public void A_value_that_could_be_misread_is_quoted(string value, string expected)
    {
        AccessLog.Write(_log, LogLevel.Information, [("Key", value)], null);

        Assert.Equal($"Key={expected}", _log.Text);
    }

    [Theory]
    [InlineData("a\nForged=1", "a\\u{000A}Forged=1")]
    [InlineData("\u001b[2J", "\\u{001B}[2J")]
    [InlineData("a\u202Eb", "a\\u{202E}b")]
    public void A_hidden_character_is_escaped_in_the_field_and_in_the_text(string value, string escaped)
    {
        AccessLog.Write(_log, LogLevel.Information, [("Key", value)], null);

        Assert.Equal(escaped, _log.Fields.Single().Value);
        Assert.Equal($"Key=\"{escaped.Replace("\\", "\\\\", StringComparison.Ordinal)}\"", _log.Text);
    }

    [Fact]
    public void A_long_value_is_truncated()
    {
        AccessLog.Write(_log, LogLevel.Information, [("Key", new string('a', 501))], null);

        Assert.Equal(new string('a', 500) + "…", _log.Fields.Single().Value);
    }

    [Theory]
    [InlineData(0, "0.000")]
    [InlineData(1.23456, "1.235")]
    [InlineData(12345.6, "12345.600")]
    public void Seconds_have_milliseconds_in_the_text_and_are_numbers_in_the_field(double seconds, string expected)
    {
        AccessLog.Write(_log, LogLevel.Information, [("Seconds", seconds)], null);

        Assert.Equal($"Seconds={expected}", _log.Text);
        Assert.Equal(seconds, _log.Fields.Single().Value);
    }

    [Fact]
    public void Numbers_look_the_same_in_every_culture()
    {
        var culture = Thread.CurrentThread.CurrentCulture;
        Thread.CurrentThread.CurrentCulture = System.Globalization.CultureInfo.GetCultureInfo("de-DE");
        try
        {
            AccessLog.Write(_log, LogLevel.Information, [("Seconds", 1.5), ("Bytes", -1234567L)], null);
        }
        finally
        {
            Thread.CurrentThread.CurrentCulture = culture;
        }

        Assert.Equal("Seconds=1.500 Bytes=-1234567", _log.Text);
    }

    [Fact]
    public void The_exception_is_passed_on()
    {
        var exception = new IOException("x");

        AccessLog.Write(_log, LogLevel.Error, [("Key", "a")], exception);

        Assert.Same(exception, _log.Exception);
    }

    [Fact]
    public void A_level_that_is_off_costs_nothing()
    {
        _log.MinLevel = LogLevel.Warning;

        AccessLog.Write(_log, LogLevel.Information, Fail(), null);

        Assert.Null(_log.Text);
    }

    private static IEnumerable<(string Name, object? Value)> Fail()
    {
        Assert.Fail("The fields were read.");
        yield break;
    }

    private sealed class Sink : ILogger
    {
        public LogLevel MinLevel { get; set; }

        public LogLevel Level { get; private set; }

        public EventId Event { get; private set; }

        public string? Text { get; private set; }

        public Exception? Exception { get; private set; }

        public IReadOnlyList<KeyValuePair<string, object?>> Fields { get; private set; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= MinLevel;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            (Level, Event, Text, Exception, Fields) = (logLevel, eventId, formatter(state, exception), exception, (IReadOnlyList<KeyValuePair<string, object?>>)state!);
    }
}
