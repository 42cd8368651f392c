using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Archiving;
using Gateway.Requests;

namespace Gateway.Plans;

/// <summary>
/// The last entry of a bundle that requests a receipt: it describes every other entry, with its SHA-256, so that the recipient can verify
/// it. Everything but the hashes is known beforehand, and their length is fixed, so it can be laid out before an object is read.
/// </summary>
internal static class BundleReceipt
{
    private const int HashLength = 32;
    private const int FlushLength = 32 * 1024;

    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static ReadOnlySpan<byte> Begin => "{\"entries\":[\n"u8;

    private static ReadOnlySpan<byte> End => "\n]}\n"u8;

    /// <summary>The receipt as an entry, once size and time of all others are known.</summary>
    public static ArchiveEntry GetEntry(IReadOnlyList<PlannedEntry> entries)
    {
        var line = new ArrayBufferWriter<byte>();
        var length = (long)Begin.Length + End.Length;
        var newest = DateTimeOffset.UnixEpoch;
        for (var i = 0; i < entries.Count; i++)
        {
            line.ResetWrittenCount();
            WriteLine(line, entries[i], isFirst: i == 0, new byte[HashLength]);
            length += line.WrittenCount;
            newest = entries[i] is { IsMissing: false, Head.Modified: var modified } && modified > newest ? modified : newest;
        }

        return new ArchiveEntry(BundleRequest.ReceiptName, length, newest);
    }

    /// <summary>Writes the receipt into an archive whose receipt entry has been started.</summary>
    /// <param name="archive">The archive.</param>
    /// <param name="entries">All requested entries.</param>
    /// <param name="hashOf">Returns the SHA-256 of an entry, by its index among those that are not missing.</param>
    /// <param name="skip">Bytes of it that were already written.</param>
    /// <param name="cancellationToken">Cancels the wait for the client.</param>
    public static async Task WriteAsync(
        ArchiveWriter archive, IReadOnlyList<PlannedEntry> entries, Func<int, byte[]> hashOf, long skip, CancellationToken cancellationToken)
    {
        var text = new ArrayBufferWriter<byte>();
        text.Write(Begin);
        for (int i = 0, place = 0; i < entries.Count; i++)
        {
            WriteLine(text, entries[i], isFirst: i == 0, entries[i].IsMissing ? [] : hashOf(place++));
            if (text.WrittenCount >= FlushLength)
            {
                await FlushAsync();
            }
        }

        text.Write(End);
        await FlushAsync();

        async Task FlushAsync()
        {
            var skipped = (int)Math.Min(skip, text.WrittenCount);
            skip -= skipped;
            await archive.WriteAsync(text.WrittenMemory[skipped..], cancellationToken);
            text.ResetWrittenCount();
        }
    }

    private static void WriteLine(ArrayBufferWriter<byte> text, PlannedEntry entry, bool isFirst, byte[] hash)
    {
        if (!isFirst)
        {
            text.Write(",\n"u8);
        }

        using var json = new Utf8JsonWriter(text, Json);
        json.WriteStartObject();
        json.WriteString("id", entry.Id);
        json.WriteString("name", entry.Name);
        if (entry is { IsMissing: false, Head: { } head })
        {
            json.WriteNumber("size", head.Size!.Value);
            json.WriteString("sha256", Convert.ToHexStringLower(hash));
            json.WriteString("etag", head.ETag);
            json.WriteString("modified", head.Modified.UtcDateTime);
            if (head.Version is { } version)
            {
                json.WriteString("version", version);
            }

            if (head.Encoding is { } encoding)
            {
                json.WriteString(head.Stored is null ? "encoding" : "decoded", encoding);
            }

            json.WriteString("status", "ok");
        }
        else
        {
            json.WriteString("status", "missing");
        }

        json.WriteEndObject();
    }
}
