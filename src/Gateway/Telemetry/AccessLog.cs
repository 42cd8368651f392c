using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Text;
using Gateway.Storage.Paths;

namespace Gateway.Telemetry;

/// <summary>The access log: one line for each request for a bundle, a plan or a link, with the fields that have a value.</summary>
internal static class AccessLog
{
    private static readonly SearchValues<char> Quoted = SearchValues.Create(" \"=\\");
    private static readonly EventId Bundle = new(LogEvents.Bundle, nameof(LogEvents.Bundle));

    /// <summary>Writes the line.</summary>
    /// <param name="logger">Receives the fields separately, and as text in the form <c>Name=value</c>.</param>
    /// <param name="level">The log level.</param>
    /// <param name="fields">In the order of the line. Those without a value are omitted.</param>
    /// <param name="exception">What an operator needs besides the fields.</param>
    public static void Write(ILogger logger, LogLevel level, IEnumerable<(string Name, object? Value)> fields, Exception? exception)
    {
        if (logger.IsEnabled(level))
        {
            logger.Log(level, Bundle, new Line([.. fields.Where(field => field.Value is not (null or "")).Select(Shown)]), exception, static (line, _) => line.ToString());
        }
    }

    /// <summary>Text from clients and storage is escaped here, because not every logger does it.</summary>
    private static KeyValuePair<string, object?> Shown((string Name, object? Value) field) =>
        new(field.Name, field.Value is string text ? HiddenCharacters.Escape(text, maxLength: 500) : field.Value);

    private sealed class Line(KeyValuePair<string, object?>[] fields) : IReadOnlyList<KeyValuePair<string, object?>>
    {
        public int Count => fields.Length;

        public KeyValuePair<string, object?> this[int index] => fields[index];

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => fields.AsEnumerable().GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString()
        {
            var line = new StringBuilder();
            foreach (var (name, value) in fields)
            {
                var text = value is double seconds ? seconds.ToString("0.000", CultureInfo.InvariantCulture) : Convert.ToString(value, CultureInfo.InvariantCulture)!;
                line.Append(line.Length > 0 ? " " : "").Append(name).Append('=');
                if (text.AsSpan().ContainsAny(Quoted))
                {
                    line.Append('"').Append(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
                }
                else
                {
                    line.Append(text);
                }
            }

            return line.ToString();
        }
    }
}
