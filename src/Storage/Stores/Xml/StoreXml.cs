using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using System.Xml;

namespace Gateway.Storage.Stores.Xml;

/// <summary>
/// Reads the XML of a store from beginning to end. Elements are known by their local names, because stores differ in namespaces. Only
/// the present element is in memory, and what an element, a name and a text may cost is bounded, whatever the store sends.
/// </summary>
/// <remarks>
/// A reader of the present element calls <see cref="Children"/> or <see cref="ReadText"/> once. What it does not read is skipped.
/// Anything invalid is an <see cref="XmlException"/>. Its message may contain text of the store, so it must not be shown.
/// </remarks>
internal sealed class StoreXml : IDisposable
{
    private const int MaxDepth = 16;

    // Azure encodes a name of 1,024 characters with 9,216.
    private const int MaxTextLength = 16 * 1024;

    // Between two '<' is a tag with its attributes, or a text. The longest that a store needs is a name.
    private const int MaxGap = 32 * 1024;

    private readonly StreamReader _input;
    private readonly XmlReader _reader;
    private readonly StringBuilder _text = new();

    public StoreXml(ReadOnlyMemory<byte> xml)
    {
        // The text is UTF-8, whatever its declaration contains: all stores send it.
        if (!Utf8.IsValid(xml.Span) || HasLongGap(xml.Span))
        {
            throw new XmlException();
        }

        // The decoder skips a byte order mark, which Azure sends.
        var stream = MemoryMarshal.TryGetArray(xml, out var array) ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false) : new MemoryStream(xml.ToArray());
        _input = new StreamReader(stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: false);
        _reader = XmlReader.Create(_input, new XmlReaderSettings
        {
            // Escaped, keys and tokens may contain characters that XML 1.0 forbids (&#x1;).
            CheckCharacters = false,
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            NameTable = new BoundedNames(),
        });
    }

    /// <summary>Moves to the root.</summary>
    /// <returns>Its name.</returns>
    public string ReadRoot()
    {
        while (Read())
        {
            if (_reader.NodeType == XmlNodeType.Element)
            {
                return _reader.LocalName;
            }
        }

        throw new XmlException();
    }

    /// <summary>Moves from child to child of the present element.</summary>
    /// <returns>Their names.</returns>
    public IEnumerable<string> Children()
    {
        if (_reader.IsEmptyElement)
        {
            yield break;
        }

        var depth = _reader.Depth;
        while (Read() && _reader.Depth > depth)
        {
            if (_reader.NodeType == XmlNodeType.Element && _reader.Depth == depth + 1)
            {
                yield return _reader.LocalName;
            }
        }
    }

    /// <summary>The text of the present element, which must not contain elements.</summary>
    public string ReadText()
    {
        if (_reader.IsEmptyElement)
        {
            return "";
        }

        _text.Clear();
        for (var depth = _reader.Depth; Read() && _reader.Depth > depth;)
        {
            if (_reader.NodeType == XmlNodeType.Element || _text.Length + _reader.Value.Length > MaxTextLength)
            {
                throw new XmlException();
            }

            _text.Append(_reader.Value);
        }

        return _text.ToString();
    }

    /// <summary>The same for a child that occurs once at most.</summary>
    /// <param name="text">Null before the first.</param>
    public void ReadOnce(ref string? text) => text = text is null ? ReadText() : throw new XmlException();

    /// <summary>An attribute of the present element; null if it has none of this name.</summary>
    public string? GetAttribute(string name) => _reader.GetAttribute(name);

    /// <summary>Requires that nothing follows the root.</summary>
    public void ReadEnd()
    {
        while (Read())
        {
        }
    }

    public void Dispose()
    {
        _reader.Dispose();
        _input.Dispose();
    }

    private bool Read()
    {
        var hasNode = _reader.Read();
        return _reader.Depth <= MaxDepth ? hasNode : throw new XmlException();
    }

    /// <summary>The parser holds all attributes of one tag, so their number must be bounded before it reads them.</summary>
    private static bool HasLongGap(ReadOnlySpan<byte> xml)
    {
        while (xml.Length > MaxGap)
        {
            var next = xml[..MaxGap].LastIndexOf((byte)'<');
            if (next < 0)
            {
                return true;
            }

            xml = xml[(next + 1)..];
        }

        return false;
    }

    /// <summary>The parser keeps all names until its end.</summary>
    private sealed class BoundedNames : NameTable
    {
        // The metadata of every object may have other names.
        private const int MaxNames = 64 * 1024;

        private int _count;

        public override string Add(char[] key, int start, int len) => Get(key, start, len) ?? (Count() ? base.Add(key, start, len) : "");

        public override string Add(string key) => Get(key) ?? (Count() ? base.Add(key) : "");

        private bool Count() => ++_count <= MaxNames ? true : throw new XmlException();
    }
}
