using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Storage.Listings;
using Gateway.Storage.Stores.Xml;

namespace Gateway.Storage.Stores.S3;

/// <summary>Reads the response to ListObjectsV2 of S3 and compatible stores, and of Google Cloud Storage's XML API.</summary>
internal static class S3ListingReader
{
    private const string Source = "an S3 bucket";
    private const string Root = "ListBucketResult";

    /// <summary>Reads a page.</summary>
    /// <param name="xml">The body of a 200.</param>
    /// <param name="prefix">What was listed. Keys become relative to it.</param>
    /// <exception cref="StorageException">The page is not valid, or contains an error.</exception>
    public static ListingPage Read(ReadOnlyMemory<byte> xml, string prefix) => ListingDocument.Read(xml, Root, Source, reader => ReadPage(reader, prefix));

    private static ListingPage ReadPage(StoreXml xml, string prefix)
    {
        var builder = new ListingBuilder(prefix);
        string? encoding = null, isTruncated = null, token = null;
        foreach (var name in xml.Children())
        {
            switch (name)
            {
                case "Contents":
                    builder.Add(ReadObject(xml));
                    break;
                case "CommonPrefixes":
                    ReadFolders(xml, builder);
                    break;
                case "EncodingType":
                    xml.ReadOnce(ref encoding);
                    break;
                case "IsTruncated":
                    xml.ReadOnce(ref isTruncated);
                    break;
                case "NextContinuationToken":
                    xml.ReadOnce(ref token);
                    break;
                case "Error":
                    throw ListingFailures.From(StoreErrorReader.ReadFields(xml));
            }
        }

        xml.ReadEnd();
        var next = isTruncated switch
        {
            "true" => token ?? "",
            "false" => null,
            _ => throw ListingFailures.Invalid("does not state whether it is truncated"),
        };

        // Stores that do not know the parameter send keys as they are. Some state the encoding after the keys.
        return encoding switch
        {
            null or "" => builder.Build(key => key, next),
            "url" => builder.Build(key => ListingText.Decode(key, hasPlus: true), next),
            _ => throw ListingFailures.Invalid("has an unknown encoding of its keys"),
        };
    }

    private static ListedObject ReadObject(StoreXml xml)
    {
        string? key = null, size = null, etag = null, modified = null, storageClass = null;
        var isRestored = false;
        foreach (var name in xml.Children())
        {
            switch (name)
            {
                case "Key":
                    xml.ReadOnce(ref key);
                    break;
                case "Size":
                    xml.ReadOnce(ref size);
                    break;
                case "ETag":
                    xml.ReadOnce(ref etag);
                    break;
                case "LastModified":
                    xml.ReadOnce(ref modified);
                    break;
                case "StorageClass":
                    xml.ReadOnce(ref storageClass);
                    break;
                case "RestoreStatus":
                    isRestored = ReadIsRestored(xml);
                    break;
            }
        }

        return new ListedObject(key ?? "", ListingText.ParseSize(size), EntityTag.StrongOfListing(etag ?? ""), ListingText.ParseTime(modified))
        {
            // GLACIER_IR can be read at once.
            ArchivedAs = storageClass is "GLACIER" or "DEEP_ARCHIVE" && !isRestored ? storageClass : null,
        };
    }

    /// <summary>A restored copy keeps its class. It has the date at which it is removed.</summary>
    private static bool ReadIsRestored(StoreXml xml)
    {
        string? isInProgress = null, expires = null;
        foreach (var name in xml.Children())
        {
            switch (name)
            {
                case "IsRestoreInProgress":
                    xml.ReadOnce(ref isInProgress);
                    break;
                case "RestoreExpiryDate":
                    xml.ReadOnce(ref expires);
                    break;
            }
        }

        return isInProgress == "false" && expires is { Length: > 0 };
    }

    private static void ReadFolders(StoreXml xml, ListingBuilder builder)
    {
        foreach (var name in xml.Children())
        {
            if (name == "Prefix")
            {
                builder.AddFolder(xml.ReadText());
            }
        }
    }
}
