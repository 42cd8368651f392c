using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Storage.Objects;

namespace Fuzz.Targets;

/// <summary>Storage's response to a range request: it is accepted only if it is that part.</summary>
internal static partial class ContentRangeTarget
{
    private const long Size = 1000;
    private static readonly ObjectHead Head = new(Size, "\"v1\"", DateTimeOffset.UnixEpoch);
    private static readonly ByteRange[] Wanted = [new(100), new(0, 1), new(999), new(100, 200)];

    public static void Run(byte[] input)
    {
        var headers = ObjectHeadTarget.HeadersOf(input);
        headers.ETag = Head.ETag;
        foreach (var wanted in Wanted)
        {
            long? end;
            try
            {
                end = ResponseValidator.RequirePart(headers, Head, wanted);
            }
            catch (StorageException)
            {
                continue;
            }

            // An independent implementation of RFC 9110, section 14.4.
            var text = headers.ContentRange.ToString();
            var match = Letter().Match(text);
            FuzzTarget.Require(
                match.Success
                && Number(match, 1) == wanted.From
                && Number(match, 2) >= wanted.From
                && Number(match, 2) == (end ?? wanted.End ?? Size) - 1
                && !(end >= (wanted.End ?? Size))
                && (match.Groups[3].Value == "*" || Number(match, 3) == Size),
                "only the requested part, or its beginning, is accepted");
        }
    }

    private static BigInteger Number(Match match, int group) => BigInteger.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\s*bytes[ \t]+([0-9]+)[ \t]*-[ \t]*([0-9]+)[ \t]*/[ \t]*([0-9]+|\*)\s*$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Letter();
}
