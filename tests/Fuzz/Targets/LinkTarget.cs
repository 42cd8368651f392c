using System.Text;
using Gateway.Caching;
using Gateway.Links;

namespace Fuzz.Targets;

/// <summary>The token of a link: nothing opens that was not signed, and what was signed does.</summary>
internal static class LinkTarget
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] Other = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private static readonly DateTimeOffset Expires = new(2026, 12, 1, 2, 3, 4, TimeSpan.Zero);

    public static void Run(byte[] input)
    {
        FuzzTarget.Require(LinkToken.Open([Key], Encoding.Latin1.GetString(input)) is null, "nothing opens that was not signed");
        FuzzTarget.Require(new CacheEntrySigner([Key]).Open("key", input, Expires) is null, "nothing in Redis opens that was not signed");
        RequireBounded(input);
        var token = LinkToken.Create(Key, Expires, input);
        FuzzTarget.Require(
            LinkToken.Open([Other, Key], token) is var (expires, content) && expires == Expires && content.AsSpan().SequenceEqual(input), "what was signed opens");
        FuzzTarget.Require(LinkToken.Open([Other], token) is null, "nothing opens by another key");

        // A character somewhere else, chosen by the input.
        var at = input.Aggregate(17, (hash, b) => (hash * 31) + b) & 0x7FFFFFFF;
        var changed = token.ToCharArray();
        changed[at % (token.Length - 1)] = changed[at % (token.Length - 1)] == 'A' ? 'B' : 'A';
        FuzzTarget.Require(LinkToken.Open([Key], changed) is null, "nothing opens that was changed");
    }

    /// <summary>Even what was signed unpacks to no more than it says.</summary>
    private static void RequireBounded(byte[] packed)
    {
        try
        {
            if (BundleLink.From(packed, mayCarryRights: true) is { } link)
            {
                FuzzTarget.Require(link.MaxContentBytes is > 0 and <= BundleLink.MaxManifestBytes, "a link says how much it stands for");
                FuzzTarget.Require(link.Unpack().Length <= link.MaxContentBytes, "a link stands for no more than it says");
            }
        }
        catch (LinkException)
        {
            // No link.
        }
    }
}
