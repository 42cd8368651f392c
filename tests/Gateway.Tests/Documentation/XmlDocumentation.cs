using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Gateway.Tests.Documentation;

/// <summary>The XML documentation that the compiler writes next to an assembly, as Markdown.</summary>
internal sealed partial class XmlDocumentation
{
    private readonly Dictionary<Assembly, Dictionary<string, XElement>> _files = [];

    public static string IdOf(Type type) => $"T:{type.FullName!.Replace('+', '.')}";

    public static string IdOf(PropertyInfo property) => $"P:{property.DeclaringType!.FullName!.Replace('+', '.')}.{property.Name}";

    /// <param name="assembly">The assembly of the member.</param>
    /// <param name="id">The member.</param>
    /// <param name="element">A section of its documentation.</param>
    /// <param name="reference">The text for a reference to another member.</param>
    /// <returns>One line of Markdown; empty if there is no such section.</returns>
    public string Read(Assembly assembly, string id, string element, Func<string, string> reference) =>
        MembersOf(assembly).TryGetValue(id, out var member) && member.Element(element) is { } section
            ? Blanks().Replace(string.Concat(section.Nodes().Select(node => Write(node, reference))), " ").Trim()
            : "";

    private static string Write(XNode node, Func<string, string> reference) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement { Name.LocalName: "see" } see when see.Attribute("cref") is { } cref => $"`{reference(cref.Value)}`",
        XElement other => string.Concat(other.Nodes().Select(child => Write(child, reference))),
        _ => "",
    };

    private Dictionary<string, XElement> MembersOf(Assembly assembly)
    {
        if (!_files.TryGetValue(assembly, out var members))
        {
            var document = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml"));
            _files[assembly] = members = document.Descendants("member").ToDictionary(member => member.Attribute("name")!.Value);
        }

        return members;
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
