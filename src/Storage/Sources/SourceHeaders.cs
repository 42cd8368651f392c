using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Gateway.Storage.Http;

namespace Gateway.Storage.Sources;

/// <summary>The client's headers that a source asks for: metadata <c>Bundle.Headers</c> of its route, names separated by commas. All others stay
/// here.</summary>
public static class SourceHeaders
{
    /// <summary>In a route's metadata.</summary>
    public const string Key = "Bundle.Headers";

    // What decides which bytes storage answers with is the gateway's own to say; what is meant for one connection ends with it; and on
    // whose behalf it asks YARP says.
    private static readonly FrozenSet<string> Own = new[]
    {
        "Accept-Encoding", "Connection", "Expect", "Forwarded", "Host", "Keep-Alive", "Range", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Want-Repr-Digest",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly string[] OwnBeginnings = ["Content-", "If-", "Proxy-", "X-Forwarded-"];

    /// <summary>Reads the names.</summary>
    /// <param name="text">What stands in the metadata.</param>
    /// <param name="names">The names; none where there is a fault.</param>
    /// <param name="fault">What is wrong.</param>
    public static bool TryParse(string? text, out IReadOnlyList<string> names, [NotNullWhen(false)] out string? fault)
    {
        string[] parts = text is null ? [] : text.Split(',', StringSplitOptions.TrimEntries);
        fault = parts.FirstOrDefault(part => !HttpToken.IsToken(part)) is { } bad ? $"'{bad}' is no name of a header"
            : parts.FirstOrDefault(IsOwn) is { } own ? $"'{own}' is not the client's to say"
            : null;
        names = fault is null ? parts : [];
        return fault is null;
    }

    private static bool IsOwn(string name) => Own.Contains(name) || OwnBeginnings.Any(beginning => name.StartsWith(beginning, StringComparison.OrdinalIgnoreCase));
}
