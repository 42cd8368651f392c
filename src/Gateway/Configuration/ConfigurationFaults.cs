using System.Collections;
using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Gateway.Storage;
using Microsoft.Extensions.Options;

namespace Gateway.Configuration;

/// <summary>All errors in the configuration, one per line, so that an operator can fix them in one go.</summary>
internal static class ConfigurationFaults
{
    /// <summary>Unknown keys of a section, and values that do not match the option's type.</summary>
    /// <param name="section">The section.</param>
    /// <param name="hasSecrets">Whether the section contains secrets. Then no value is repeated: it may be a secret under the wrong key.</param>
    public static List<string> Find<TOptions>(IConfigurationSection section, bool hasSecrets = false)
    {
        var faults = new List<string>();
        Compare(section, typeof(TOptions), hasSecrets, faults);
        return faults;
    }

    /// <summary>The lines of an exception from options, from YARP, or from reading the file.</summary>
    public static IEnumerable<string> From(Exception exception) => exception switch
    {
        OptionsValidationException validation => validation.Failures,
        InvalidConfigurationException invalid => invalid.Faults,
        AggregateException aggregate => aggregate.InnerExceptions.SelectMany(From),
        { InnerException: { } inner } => From(inner),
        _ => [exception.Message.ReplaceLineEndings(" ")],
    };

    /// <summary>The values of a section that must be a non-empty list of non-empty values.</summary>
    /// <exception cref="InvalidOperationException">It is something else. The value is not repeated, because it may be a secret.</exception>
    public static string[] RequireList(IConfigurationSection section)
    {
        var items = section.GetChildren().ToArray();
        return section.Value is not null || items.Length == 0 || items.Any(item => string.IsNullOrEmpty(item.Value) || item.GetChildren().Any())
            ? throw new InvalidOperationException($"{section.Path}: must be a non-empty list of values")
            : [.. items.Select(item => item.Value!)];
    }

    private static void Compare(IConfigurationSection section, Type type, bool hasSecrets, List<string> faults)
    {
        if (type != typeof(string) && typeof(IEnumerable).IsAssignableFrom(type))
        {
            if (section.Value is { Length: > 0 })
            {
                faults.Add($"{section.Path}: is a list, not a value; its first item is {section.Path}:0");
            }

            // The last type argument is the item type, for lists and dictionaries alike.
            var item = type.GetGenericArguments()[^1];
            foreach (var child in section.GetChildren())
            {
                Compare(child, item, hasSecrets, faults);
            }

            return;
        }

        if (type.Namespace!.StartsWith("Gateway", StringComparison.Ordinal) && type.IsClass)
        {
            if (section.Value is { Length: > 0 })
            {
                faults.Add($"{section.Path}: is a section, not a value");
            }

            var known = type.GetProperties().Where(property => property.DeclaringType == type && IsSetting(property)).ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase);
            foreach (var child in section.GetChildren())
            {
                if (known.TryGetValue(child.Key, out var property))
                {
                    Compare(child, property.PropertyType, hasSecrets, faults);
                }
                else
                {
                    var nearest = NearestKey.Find(child.Key, known.Keys) is { } name ? $"; did you mean {name}?" : "";
                    faults.Add($"{child.Path}: unknown key; known: {string.Join(", ", known.Keys)}{nearest}");
                }
            }

            return;
        }

        if (section.Value is { Length: > 0 } value && !IsA(type, value))
        {
            faults.Add($"{section.Path}: {(hasSecrets ? "the value" : $"'{value}'")} is not {Describe(type)}");
        }
    }

    /// <summary>Computed properties are not settings.</summary>
    private static bool IsSetting(PropertyInfo property) =>
        property.CanWrite || (property.PropertyType.IsGenericType && typeof(IEnumerable).IsAssignableFrom(property.PropertyType));

    private static bool IsA(Type type, string value)
    {
        try
        {
            TypeDescriptor.GetConverter(type).ConvertFromString(null, CultureInfo.InvariantCulture, value);
            return true;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException or NotSupportedException)
        {
            return false;
        }
    }

    private static string Describe(Type type) => Nullable.GetUnderlyingType(type) is { } underlying ? Describe(underlying) : type switch
    {
        _ when type == typeof(TimeSpan) => "a time span like 00:00:30",
        _ when type == typeof(bool) => "true or false",
        { IsEnum: true } => $"one of {string.Join(", ", Enum.GetNames(type)).ToLowerInvariant()}",
        _ => "a whole number in range",
    };
}
