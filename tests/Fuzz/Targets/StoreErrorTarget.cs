using Gateway.Storage.Stores.Xml;

namespace Fuzz.Targets;

/// <summary>The body of an error response: it never throws, and what it returns can be logged.</summary>
internal static class StoreErrorTarget
{
    public static void Run(byte[] input)
    {
        if (StoreErrorReader.Read(input) is { } error)
        {
            FuzzTarget.Require(error.Code is not null || error.Region is not null, "an error has a code or a region");
            FuzzTarget.Require(error.Code is null || (error.Code.Length is > 0 and <= 64 && error.Code.All(char.IsAsciiLetter)), "a code consists of letters");
            FuzzTarget.Require(error.Region is null || (error.Region.Length is > 0 and <= 32 && error.Region.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')), "a region is a name");
        }
    }
}
