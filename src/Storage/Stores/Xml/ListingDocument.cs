using System.Xml;
using Gateway.Storage.Listings;

namespace Gateway.Storage.Stores.Xml;

/// <summary>The body of a response to a listing: a page, or an error.</summary>
internal static class ListingDocument
{
    /// <summary>Reads a body.</summary>
    /// <param name="xml">The body of a 200.</param>
    /// <param name="root">The name of a page's root.</param>
    /// <param name="store">What a page with another root does not come from.</param>
    /// <param name="readPage">Reads a page, whose root has been read.</param>
    /// <exception cref="Failures.StorageException">The body is not valid, or contains an error.</exception>
    public static ListingPage Read(ReadOnlyMemory<byte> xml, string root, string store, Func<StoreXml, ListingPage> readPage)
    {
        try
        {
            using var reader = new StoreXml(xml);
            var name = reader.ReadRoot();
            return name == root ? readPage(reader)
                : name == "Error" ? throw ListingFailures.From(StoreErrorReader.ReadFields(reader))
                : throw ListingFailures.Invalid($"is not that of {store}");
        }
        catch (XmlException)
        {
            throw ListingFailures.NotXml();
        }
    }
}
