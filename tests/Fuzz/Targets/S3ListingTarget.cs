using System.Text;
using Gateway.Storage.Failures;
using Gateway.Storage.Http;
using Gateway.Storage.Listings;
using Gateway.Storage.Objects;
using Gateway.Storage.Stores.S3;

namespace Fuzz.Targets;

/// <summary>A page of a listing of S3: what is accepted has valid values, and failures are those of storage.</summary>
internal static class S3ListingTarget
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    public static void Run(byte[] input) => Run(input, S3ListingReader.Read);

    public static void Run(byte[] input, Func<ReadOnlyMemory<byte>, string, ListingPage> read)
    {
        foreach (var prefix in new[] { "", "a/", "ü/" })
        {
            try
            {
                RequireValid(read(input, prefix));
            }
            catch (StorageException e)
            {
                FuzzTarget.Require(e.Reason == FailureReason.InvalidListing || e.Reason == FailureReason.Throttled || e.Reason == FailureReason.StorageError, "a failure has a reason of listings");
                FuzzTarget.Require(e.InnerException is null && e.Message.All(char.IsAscii), "a failure contains nothing of the input");
            }
        }
    }

    private static void RequireValid(ListingPage page)
    {
        FuzzTarget.Require(page.Next is null || (page.Next.Length > 0 && StrictUtf8.GetByteCount(page.Next) <= 1024), "a token is short");
        FuzzTarget.Require(page.Folders.All(folder => folder.IndexOf('/', StringComparison.Ordinal) == folder.Length - 1), "a folder is one level");
        var keys = page.Objects.Select(listed => listed.Key).Concat(page.Folders).ToArray();
        FuzzTarget.Require(keys.Distinct(StringComparer.Ordinal).Count() == keys.Length, "a key occurs once");
        foreach (var listed in page.Objects)
        {
            FuzzTarget.Require(listed.Size is >= 0 and <= ObjectHead.MaxSize, "a size is valid");
            FuzzTarget.Require(listed.ETag is null || EntityTag.Strong(listed.ETag) == listed.ETag, "a validator is strong and has its quotes");
            FuzzTarget.Require(listed.Modified.Ticks % TimeSpan.TicksPerSecond == 0, "a time has whole seconds");
            FuzzTarget.Require(listed.Md5 is null or { Length: 16 }, "a checksum has the correct length");
            FuzzTarget.Require(StrictUtf8.GetByteCount(listed.Key) >= 0, "a key is Unicode");
        }
    }
}
