using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Gateway.Storage.Http;

namespace Gateway.Storage.Sources;

/// <summary>The client headers that a source receives: metadata <c>Bundle.Headers</c> of its route, names separated by commas. No others are
/// forwarded.</summary>
public static class SourceHeaders
{
    /// <summary>In a route's metadata.</summary>
    public const string Key = "Bundle.Headers";

    // Not allowed: headers that select the bytes of the response, which the gateway sets; hop-by-hop headers; and forwarded headers,
    // which YARP sets.
    private static readonly FrozenSet<string> Own = new[]
    {
        "Accept-Encoding", "Connection", "Expect", "Forwarded", "Host", "Keep-Alive", "Range", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Want-Repr-Digest",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly string[] OwnBeginnings = ["Content-", "If-", "Proxy-", "X-Forwarded-"];

    /// <summary>Reads the names.</summary>
    /// <param name="text">The metadata value.</param>
    /// <param name="names">The names; empty if there is an error.</param>
    /// <param name="fault">The error.</param>
    public static bool TryParse(string? text, out IReadOnlyList<string> names, [NotNullWhen(false)] out string? fault)
    {
        string[] parts = text is null ? [] : text.Split(',', StringSplitOptions.TrimEntries);
        fault = parts.FirstOrDefault(part => !HttpToken.IsToken(part)) is { } bad ? $"'{bad}' is not a header name"
            : parts.FirstOrDefault(IsOwn) is { } own ? $"'{own}' cannot be forwarded from clients"
            : null;
        names = fault is null ? parts : [];
        return fault is null;
    }

    private static bool IsOwn(string name) => Own.Contains(name) || OwnBeginnings.Any(beginning => name.StartsWith(beginning, StringComparison.OrdinalIgnoreCase));
}
