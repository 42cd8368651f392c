using System.Text;
using Gateway.Storage.Checksums;
using Gateway.Storage.Failures;
using Gateway.Storage.Objects;
using Microsoft.AspNetCore.Http;

namespace Fuzz.Targets;

/// <summary>Response headers of storage, one per line.</summary>
internal static class ObjectHeadTarget
{
    public static void Run(byte[] input)
    {
        try
        {
            var head = ObjectHead.From(HeadersOf(input));
            FuzzTarget.Require(head.Size is null or (>= 0 and <= ObjectHead.MaxSize), "a size is valid");
            FuzzTarget.Require(head.ETag is null || (head.ETag is ['"', .., '"'] && head.ETag.Length >= 2 && head.ETag.AsSpan()[1..^1].IndexOf('"') < 0), "a validator is strong and has its quotes");
            FuzzTarget.Require(head.Checksums is null or { All.Count: > 0 } && (head.Checksums?.All ?? []).All(checksum => checksum.Value.Length == Checksum.GetLength(checksum.Kind)), "a checksum has the correct length");
        }
        catch (StorageException)
        {
            // Rejected.
        }
    }

    public static IHeaderDictionary HeadersOf(byte[] input)
    {
        var headers = new HeaderDictionary();
        foreach (var line in Encoding.Latin1.GetString(input).Split('\n'))
        {
            // As HttpClient would accept it: a name, and a value without line ends.
            if (line.Split(':', 2, StringSplitOptions.TrimEntries) is [{ Length: > 0 } name, var value] && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
            {
                headers.Append(name, value.Replace("\0", "", StringComparison.Ordinal).Replace("\r", "", StringComparison.Ordinal));
            }
        }

        return headers;
    }
}
