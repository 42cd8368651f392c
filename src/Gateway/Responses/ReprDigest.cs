using Microsoft.Extensions.Primitives;

namespace Gateway.Responses;

/// <summary>The digest of a whole archive (RFC 9530): in the headers if it is known, else in a trailer for clients that request it.</summary>
internal static class ReprDigest
{
    public const string Header = "Repr-Digest";

    /// <summary>Whether the client requests it: hashing costs a core for every 1–2 GB/s, so it is done only on request.</summary>
    public static bool IsRequested(HttpRequest request) =>
        Names(request.Headers.TE, "trailers") || Names(request.Headers["Want-Repr-Digest"], "sha-256=", except: "sha-256=0");

    public static string Format(byte[] sha256) => $"sha-256=:{Convert.ToBase64String(sha256)}:";

    private static bool Names(StringValues field, string member, string? except = null) =>
        field.SelectMany(value => (value ?? "").Split(',', StringSplitOptions.TrimEntries))
            .Any(value => value.StartsWith(member, StringComparison.OrdinalIgnoreCase) && !value.Equals(except, StringComparison.OrdinalIgnoreCase));
}
