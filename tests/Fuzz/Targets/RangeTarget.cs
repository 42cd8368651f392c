using System.Text;
using Gateway.Responses;
using Gateway.Storage.Http;
using Microsoft.AspNetCore.Http;

namespace Fuzz.Targets;

/// <summary>Conditions and ranges of a client: lines of Range, If-Range, If-None-Match, If-Match, If-Modified-Since and If-Unmodified-Since.</summary>
internal static class RangeTarget
{
    private const string ETag = "\"0123456789abcdef\"";
    private const long Length = 10_000;
    private static readonly string[] Fields = ["Range", "If-Range", "If-None-Match", "If-Match", "If-Modified-Since", "If-Unmodified-Since"];

    public static void Run(byte[] input)
    {
        var request = new DefaultHttpContext().Request;
        request.Method = HttpMethods.Get;
        foreach (var (line, i) in Encoding.Latin1.GetString(input).Split('\n').Take(Fields.Length).Select((line, i) => (line, i)))
        {
            request.Headers[Fields[i]] = line;
        }

        foreach (var length in new long?[] { 2 * Length, Length, null })
        {
            try
            {
                if (RequestedRange.From(request, ETag, length, 2 * Length) is { } range)
                {
                    FuzzTarget.Require(range.From is >= 0 and < 2 * Length, "a range begins in the archive");
                    FuzzTarget.Require(
                        length is null || range.From >= length ? range.End is null : range.End > range.From && range.End <= length, "a range has bytes and ends in the archive");
                    FuzzTarget.Require(range.ReachesEnd == (range.End is not null && range.End == length), "a range that reaches the end is marked so");
                }

                FuzzTarget.Require(RequestedRange.From(request, null, length, 2 * Length) is null, "without a validator there are no ranges");
            }
            catch (BundleProblemException refusal)
            {
                FuzzTarget.Require(refusal.StatusCode is 416, "a range fails with 416");
            }
        }

        var result = Preconditions.Evaluate(request.Method, name => request.Headers[name], new SelectedVersion(ETag, DateTimeOffset.UnixEpoch, () => DateEvidence.None));
        FuzzTarget.Require(
            result != PreconditionResult.Proceed || request.Headers.IfUnmodifiedSince.Count == 0 || request.Headers.Range.Count == 0
                || request.Headers.IfMatch.Count > 0 || request.Headers.IfRange.Count > 0,
            "a date alone permits no range");
    }
}
