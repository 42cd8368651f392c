using System.Collections;
using System.Reflection;
using System.Text;
using Gateway.Access;
using Gateway.Hosting;
using Gateway.Server;
using Gateway.Storage.Stores;
using Gateway.Storage.Stores.Dialects;

namespace Gateway.Tests.Documentation;

/// <summary>
/// <c>docs/options.md</c>: a header that is written by hand (<c>options.header.md</c>), then one table for each section, from the options types, their
/// attributes and their XML documentation.
/// </summary>
internal sealed class OptionsPage
{
    private readonly XmlDocumentation _documentation = new();
    private readonly Dictionary<string, string> _keys = [];
    private readonly List<Section> _sections = [];

    private OptionsPage()
    {
        Add(BundleOptions.Section, typeof(BundleOptions));
        Add($"{StoreCatalogue.Section}:{{cluster}}", typeof(StoreOptions));
        Add($"{AccessRegistration.Section}:{ApiKeyHandler.Name}", typeof(ApiKeyOptions));
        Add($"{AccessRegistration.Section}:{SignedUrlHandler.Name}", typeof(SignedUrlOptions));
        Add(CorsSettings.Section, typeof(CorsSettings));
    }

    private sealed record Section(string Path, Type Type, IReadOnlyList<PropertyInfo> Options);

    /// <summary>The page.</summary>
    /// <param name="header">What it begins with.</param>
    public static string Create(string header)
    {
        var page = new OptionsPage();
        var text = new StringBuilder("<!-- Generated: the header is tests/Gateway.Tests/Documentation/options.header.md, the rest is from the XML documentation of the options types. -->\n\n");
        text.Append(header.Trim()).Append('\n');
        foreach (var section in page._sections)
        {
            page.Write(text, section);
        }

        page.WriteListeners(text);
        return text.ToString();
    }

    private static void WriteTableHead(StringBuilder text) => text.Append("\n| key | values | default | meaning |\n|---|---|---|---|\n");

    private static void WriteRow(StringBuilder text, params string[] cells) =>
        text.Append("| ").AppendJoin(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))).Append(" |\n");

    /// <summary>Properties that the configuration can set, as the binder sees them.</summary>
    private static IEnumerable<PropertyInfo> OptionsOf(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(property => property.CanWrite || (property.PropertyType.IsGenericType && typeof(IEnumerable).IsAssignableFrom(property.PropertyType)));

    /// <summary>The options type behind a property, and what follows its key; null for a value.</summary>
    private static (Type Type, string Suffix)? Nested(PropertyInfo property)
    {
        var (type, suffix) = property.PropertyType.IsGenericType && property.PropertyType.GetGenericArguments() is [var key, var item] && key == typeof(string)
            ? (item, ":{name}")
            : (property.PropertyType, "");
        return type is { IsClass: true, Namespace: { } name } && name.StartsWith(nameof(Gateway), StringComparison.Ordinal) ? (type, suffix) : null;
    }

    private void Add(string path, Type type)
    {
        var options = OptionsOf(type).ToArray();
        _sections.Add(new(path, type, [.. options.Where(option => Nested(option) is null || Nested(option)!.Value.Suffix.Length > 0)]));
        foreach (var option in options)
        {
            _keys[XmlDocumentation.IdOf(option)] = $"{path}:{option.Name}";
            if (Nested(option) is var (nested, suffix))
            {
                Add($"{path}:{option.Name}{suffix}", nested);
            }
        }
    }

    private void Write(StringBuilder text, Section section)
    {
        // The heading says which section it is.
        var summary = Read(section, XmlDocumentation.IdOf(section.Type), "summary").Replace($" Section `{section.Path}`.", "", StringComparison.Ordinal);
        text.Append("\n## ").Append(section.Path).Append("\n\n").Append(summary).Append('\n');
        var defaults = Activator.CreateInstance(section.Type);
        WriteTableHead(text);
        foreach (var option in section.Options)
        {
            var values = Nested(option) is { } ? "section" : OptionText.Values(option);
            WriteRow(text, $"`{section.Path}:{option.Name}`", values, OptionText.Default(option.GetValue(defaults)), Read(section, XmlDocumentation.IdOf(option), "summary"));
        }

        foreach (var option in section.Options)
        {
            if (Read(section, XmlDocumentation.IdOf(option), "remarks") is { Length: > 0 } remarks)
            {
                text.Append("\n**`").Append(option.Name).Append("`.** ").Append(remarks).Append('\n');
            }
        }
    }

    /// <summary>Single keys that have no options type. Their documentation is that of the type that reads them.</summary>
    private void WriteListeners(StringBuilder text)
    {
        text.Append("\n## Listeners\n");
        WriteTableHead(text);
        foreach (var (key, values, type) in new[] { (Management.Key, "text", typeof(Management)), (KnownProxies.Section, "list", typeof(KnownProxies)) })
        {
            WriteRow(text, $"`{key}`", values, "–", _documentation.Read(type.Assembly, XmlDocumentation.IdOf(type), "summary", id => id));
        }
    }

    private string Read(Section section, string id, string element) =>
        _documentation.Read(section.Type.Assembly, id, element, other => Reference(section, other));

    /// <summary>An option of the same section is called by its name, any other one by its whole key.</summary>
    private string Reference(Section section, string id) =>
        _keys.TryGetValue(id, out var key) && !section.Options.Any(option => XmlDocumentation.IdOf(option) == id) ? key : id[(id.LastIndexOf('.') + 1)..];
}
