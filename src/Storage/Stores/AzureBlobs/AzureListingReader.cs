using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Storage.Listings;
using Gateway.Storage.Stores.Xml;
using Microsoft.Net.Http.Headers;

namespace Gateway.Storage.Stores.AzureBlobs;

/// <summary>Reads the response to List Blobs of Azure Blob Storage.</summary>
internal static class AzureListingReader
{
    private const string Source = "an Azure container";
    private const string Root = "EnumerationResults";

    // A directory of a hierarchical namespace is a blob with this metadata. Clients write its name in any case.
    private const string DirectoryMetadata = "hdi_isfolder";

    /// <summary>Reads a page.</summary>
    /// <param name="xml">The body of a 200.</param>
    /// <param name="prefix">What was listed. Keys become relative to it.</param>
    /// <exception cref="StorageException">The page is not valid, or contains an error.</exception>
    public static ListingPage Read(ReadOnlyMemory<byte> xml, string prefix) => ListingDocument.Read(xml, Root, Source, reader => ReadPage(reader, prefix));

    private static ListingPage ReadPage(StoreXml xml, string prefix)
    {
        var builder = new ListingBuilder(prefix);
        var hasBlobs = false;
        string? marker = null;
        foreach (var name in xml.Children())
        {
            switch (name)
            {
                case "Blobs" when !hasBlobs:
                    hasBlobs = true;
                    ReadBlobs(xml, builder);
                    break;
                case "Blobs":
                    throw ListingFailures.NotXml();
                case "NextMarker":
                    xml.ReadOnce(ref marker);
                    break;
            }
        }

        xml.ReadEnd();
        if (!hasBlobs || marker is null)
        {
            throw ListingFailures.Invalid($"is not that of {Source}");
        }

        return builder.Build(name => name, marker.Length == 0 ? null : marker);
    }

    private static void ReadBlobs(StoreXml xml, ListingBuilder builder)
    {
        foreach (var name in xml.Children())
        {
            switch (name)
            {
                case "Blob":
                    builder.Add(ReadBlob(xml));
                    break;
                case "BlobPrefix":
                    builder.AddFolder(ReadFolder(xml));
                    break;
            }
        }
    }

    private static ListedObject ReadBlob(StoreXml xml)
    {
        string? key = null;
        Properties? properties = null;
        var isDirectory = false;
        foreach (var name in xml.Children())
        {
            switch (name)
            {
                case "Name":
                    ReadName(xml, ref key);
                    break;
                case "Properties" when properties is null:
                    properties = Properties.Read(xml);
                    break;
                case "Properties":
                    throw ListingFailures.NotXml();
                case "Metadata":
                    isDirectory |= ReadIsDirectory(xml);
                    break;
            }
        }

        return (properties ?? new Properties()).ToObject(key ?? "", isDirectory);
    }

    private static string ReadFolder(StoreXml xml)
    {
        string? key = null;
        foreach (var name in xml.Children())
        {
            if (name == "Name")
            {
                ReadName(xml, ref key);
            }
        }

        return key ?? "";
    }

    /// <summary>Azure encodes only names that XML cannot contain.</summary>
    private static void ReadName(StoreXml xml, ref string? key)
    {
        var isEncoded = xml.GetAttribute("Encoded") == "true";
        xml.ReadOnce(ref key);
        key = isEncoded ? ListingText.Decode(key!, hasPlus: false) : key;
    }

    private static bool ReadIsDirectory(StoreXml xml)
    {
        var isDirectory = false;
        foreach (var name in xml.Children())
        {
            isDirectory |= name.Equals(DirectoryMetadata, StringComparison.OrdinalIgnoreCase) && xml.ReadText().Equals("true", StringComparison.OrdinalIgnoreCase);
        }

        return isDirectory;
    }

    private sealed class Properties
    {
        private string? _size, _etag, _modified, _md5, _encoding, _tier, _type;

        public static Properties Read(StoreXml xml)
        {
            var properties = new Properties();
            foreach (var name in xml.Children())
            {
                switch (name)
                {
                    case "Content-Length":
                        xml.ReadOnce(ref properties._size);
                        break;
                    case "Etag":
                        xml.ReadOnce(ref properties._etag);
                        break;
                    case "Last-Modified":
                        xml.ReadOnce(ref properties._modified);
                        break;
                    case "Content-MD5":
                        xml.ReadOnce(ref properties._md5);
                        break;
                    case "Content-Encoding":
                        xml.ReadOnce(ref properties._encoding);
                        break;
                    case "AccessTier":
                        xml.ReadOnce(ref properties._tier);
                        break;
                    case "ResourceType":
                        xml.ReadOnce(ref properties._type);
                        break;
                }
            }

            return properties;
        }

        public ListedObject ToObject(string key, bool isDirectory) =>
            new(key, ListingText.ParseSize(_size), EntityTag.StrongOfListing(_etag ?? ""), HeaderUtilities.TryParseDate(_modified, out var time) ? time : DateTimeOffset.UnixEpoch)
            {
                IsDirectory = isDirectory || _type == "directory",
                Md5 = ChecksumText.Decode(_md5 ?? "", ChecksumText.Md5Length),
                Encoding = ParseEncoding(_encoding),
                ArchivedAs = _tier == "Archive" ? _tier : null,
            };

        /// <summary>One that is invalid fails its object when it is read, not the whole page.</summary>
        private static string? ParseEncoding(string? text)
        {
            try
            {
                return ContentCodings.Parse(text);
            }
            catch (StorageException)
            {
                return null;
            }
        }
    }
}
