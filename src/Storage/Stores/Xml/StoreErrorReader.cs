using System.Xml;

namespace Gateway.Storage.Stores.Xml;

/// <summary>Reads the bodies of error responses, which have the same form in S3, compatible stores, Azure Blob and Google Cloud Storage.</summary>
internal static class StoreErrorReader
{
    /// <summary>Bytes of a body at most: the longest fields repeat the request that was signed.</summary>
    public const int MaxBytes = 8 * 1024;

    private const string Root = "Error";
    private const int MaxCodeLength = 64;
    private const int MaxRegionLength = 32;

    /// <summary>Reads a body.</summary>
    /// <returns>Null if it is not an error in XML, or contains neither a code nor a region.</returns>
    public static StoreError? Read(ReadOnlyMemory<byte> body)
    {
        if (body.Length > MaxBytes)
        {
            return null;
        }

        try
        {
            using var xml = new StoreXml(body);
            if (xml.ReadRoot() != Root)
            {
                return null;
            }

            var error = ReadFields(xml);
            xml.ReadEnd();
            return error is { Code: null, Region: null } ? null : error;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <summary>Reads the present element, which is an error.</summary>
    /// <exception cref="XmlException">It is not valid.</exception>
    public static StoreError ReadFields(StoreXml xml)
    {
        string? code = null, region = null;
        foreach (var name in xml.Children())
        {
            switch (name)
            {
                case "Code":
                    xml.ReadOnce(ref code);
                    break;
                case "Region":
                    xml.ReadOnce(ref region);
                    break;
            }
        }

        return new StoreError(
            code is { Length: > 0 and <= MaxCodeLength } && code.All(char.IsAsciiLetter) ? code : null,
            FindRegion(region));
    }

    /// <summary>The name of a region.</summary>
    /// <returns>Null if the text cannot be one.</returns>
    public static string? FindRegion(string? text) =>
        text is { Length: > 0 and <= MaxRegionLength } && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') ? text : null;
}
