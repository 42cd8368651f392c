using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace Gateway.Tests.Documentation;

/// <summary>What values an option has, in words.</summary>
internal static class OptionText
{
    private const long LeastSize = 64 << 10;

    private static readonly (TimeSpan Value, string Name)[] TimeUnits =
        [(TimeSpan.FromDays(1), "day"), (TimeSpan.FromHours(1), "h"), (TimeSpan.FromMinutes(1), "min"), (TimeSpan.FromSeconds(1), "s"), (TimeSpan.FromMilliseconds(1), "ms")];

    private static readonly (long Value, string Name)[] SizeUnits = [(1L << 40, "TiB"), (1L << 30, "GiB"), (1L << 20, "MiB"), (1L << 10, "KiB")];

    /// <summary>The type, and the range or the values.</summary>
    public static string Values(PropertyInfo property) => (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) switch
    {
        var type when type == typeof(bool) => "`true`, `false`",
        { IsEnum: true } type => string.Join(", ", Enum.GetNames(type).Select(name => $"`{name.ToLowerInvariant()}`")),
        var type when type == typeof(string) => "text",
        var type when typeof(IEnumerable).IsAssignableFrom(type) => "list",
        var type => $"{(type == typeof(TimeSpan) ? "time" : "number")}{Range(property.GetCustomAttribute<RangeAttribute>())}",
    };

    /// <summary>A default as it would be written in the file.</summary>
    public static string Default(object? value) => value switch
    {
        null or string { Length: 0 } or ICollection { Count: 0 } => "–",
        bool flag => flag ? "`true`" : "`false`",
        Enum name => $"`{name.ToString().ToLowerInvariant()}`",
        TimeSpan time => $"`{time:c}`",
        string text => $"`{text}`",
        IConvertible number when Convert.ToInt64(number, CultureInfo.InvariantCulture) is var count => IsSize(count) ? $"`{count}` ({Quantity(count)})" : $"`{count}`",
        _ => throw new ArgumentException($"an option of type {value.GetType()} has no text", nameof(value)),
    };

    private static string Range(RangeAttribute? range) => range switch
    {
        null => "",
        { OperandType: var type } when type == typeof(TimeSpan) => $", {Quantity(Time(range.Minimum))} to {Quantity(Time(range.Maximum))}",
        _ => Number(range.Maximum) == long.MaxValue ? $", {Quantity(Number(range.Minimum))} or more" : $", {Quantity(Number(range.Minimum))} to {Quantity(Number(range.Maximum))}",
    };

    private static TimeSpan Time(object bound) => TimeSpan.Parse((string)bound, CultureInfo.InvariantCulture);

    // Kept as double where the compiler chose that overload: 2^63 does not convert back.
    private static long Number(object bound) => bound is double and >= long.MaxValue ? long.MaxValue : Convert.ToInt64(bound, CultureInfo.InvariantCulture);

    private static string Quantity(TimeSpan time) =>
        TimeUnits.FirstOrDefault(unit => time.Ticks > 0 && time.Ticks % unit.Value.Ticks == 0) is { Name: { } name } unit ? $"{time.Ticks / unit.Value.Ticks} {name}{(name == "day" && time.Days > 1 ? "s" : "")}" : "0";

    private static string Quantity(long number) =>
        IsSize(number) && SizeUnits.First(unit => number % unit.Value == 0) is var (value, name) ? $"{number / value} {name}" : number.ToString("N0", CultureInfo.InvariantCulture);

    private static bool IsSize(long number) => number >= LeastSize && SizeUnits.Any(unit => number % unit.Value == 0);
}
