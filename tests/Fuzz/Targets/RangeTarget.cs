using System.Text;
using Gateway.Bundles;
using Microsoft.AspNetCore.Http;

namespace Fuzz.Targets;

/// <summary>Conditions and ranges of a client: lines of Range, If-Range, If-None-Match and If-Match.</summary>
internal static class RangeTarget
{
    private const string ETag = "\"0123456789abcdef\"";
    private const long Length = 10_000;
    private static readonly string[] Fields = ["Range", "If-Range", "If-None-Match", "If-Match"];

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
                if (BundleConditions.RangeOf(request, ETag, length, 2 * Length) is { } range)
                {
                    FuzzTarget.Require(range.From is >= 0 and < 2 * Length, "a range begins in the archive");
                    FuzzTarget.Require(
                        length is null || range.From >= length ? range.End is null : range.End > range.From && range.End <= length, "a range has bytes and ends in the archive");
                    FuzzTarget.Require(range.ReachesEnd == (range.End is not null && range.End == length), "a range that reaches the end says so");
                }

                FuzzTarget.Require(BundleConditions.RangeOf(request, null, length, 2 * Length) is null, "without a validator there are no ranges");
                BundleConditions.IsNotModified(request, ETag);
            }
            catch (BundleRefusal refusal)
            {
                FuzzTarget.Require(refusal.StatusCode is 412 or 416, "a condition fails with 412, a range with 416");
            }
        }
    }
}
