using System.Text;
using Gateway.Caching;
using Gateway.Links;

namespace Fuzz.Targets;

/// <summary>The token of a link: only signed content opens, and all signed content does.</summary>
internal static class LinkTarget
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] Other = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private static readonly DateTimeOffset Expires = new(2026, 12, 1, 2, 3, 4, TimeSpan.Zero);

    public static void Run(byte[] input)
    {
        FuzzTarget.Require(LinkToken.Open([Key], Encoding.Latin1.GetString(input)) is null, "unsigned content does not open");
        FuzzTarget.Require(new CacheEntrySigner([Key]).Open("key", input, Expires) is null, "unsigned content in Redis does not open");
        RequireBounded(input);
        var token = LinkToken.Create(Key, Expires, input);
        FuzzTarget.Require(
            LinkToken.Open([Other, Key], token) is var (expires, content) && expires == Expires && content.AsSpan().SequenceEqual(input), "signed content opens");
        FuzzTarget.Require(LinkToken.Open([Other], token) is null, "another key does not open it");

        // Changes a character at another position, chosen by the input.
        var at = input.Aggregate(17, (hash, b) => (hash * 31) + b) & 0x7FFFFFFF;
        var changed = token.ToCharArray();
        changed[at % (token.Length - 1)] = changed[at % (token.Length - 1)] == 'A' ? 'B' : 'A';
        FuzzTarget.Require(LinkToken.Open([Key], changed) is null, "changed content does not open");
    }

    /// <summary>Even signed content never unpacks to more than declared.</summary>
    private static void RequireBounded(byte[] packed)
    {
        try
        {
            if (BundleLink.From(packed, mayCarryRights: true) is { } link)
            {
                FuzzTarget.Require(link.MaxContentBytes is > 0 and <= BundleLink.MaxManifestBytes, "a link declares its size");
                FuzzTarget.Require(link.Unpack().Length <= link.MaxContentBytes, "a link is not larger than declared");
            }
        }
        catch (LinkException)
        {
            // Not a link.
        }
    }
}
