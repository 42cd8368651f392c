using Gateway.Storage.Paths;

namespace Gateway.Storage.SubRequests;

/// <summary>Redirects of storage (RFC 9110, section 15.4). They are not followed, because they could lead anywhere, with one exception:
/// a redirect to another key of the same source.</summary>
internal static class Redirect
{
    private const string Region = "x-amz-bucket-region";

    /// <summary>Whether a response refers to another URL for the same object.</summary>
    public static bool Is(int status) => status is StatusCodes.Status301MovedPermanently or StatusCodes.Status302Found or StatusCodes.Status303SeeOther
        or StatusCodes.Status307TemporaryRedirect or StatusCodes.Status308PermanentRedirect;

    /// <summary>The host that a redirect leads to, and the region that S3 returns; null if it contains neither.</summary>
    public static string? GetTarget(HttpResponseMessage response)
    {
        var host = Uri.TryCreate(response.RequestMessage!.RequestUri, GetHeader(response, "Location"), out var target) ? $"Location: {target.Authority}" : null;
        var region = GetHeader(response, Region) is { } name ? $"{Region}: {name}" : null;
        return (host ?? region) is null ? null : string.Join(", ", new[] { host, region }.OfType<string>());
    }

    /// <summary>The key that a redirect leads to.</summary>
    /// <param name="response">The redirect.</param>
    /// <param name="key">The key that was requested.</param>
    /// <returns>Null if the redirect does not lead to another key with the same scheme, host, port and prefix.</returns>
    public static string? KeyWithin(HttpResponseMessage response, string key)
    {
        var requested = response.RequestMessage!.RequestUri!;
        if (GetHeader(response, "Location") is not { } location)
        {
            return null;
        }

        // A relative reference is resolved first: "//elsewhere/x" is relative too.
        if (!location.All(char.IsAscii)
            || !Uri.TryCreate(requested, location, out var target)
            || target.Scheme != requested.Scheme
            || target.Authority != requested.Authority
            || target.UserInfo.Length > 0
            || target.Query.Length > 0)
        {
            return null;
        }

        // A request for the new key must produce exactly the target: no encoded separators, and only valid UTF-8.
        var path = target.AbsolutePath;
        var decoded = Uri.UnescapeDataString(path);
        if (DotSegments.IsIn(path)
            || path.AsSpan().Count('/') != decoded.AsSpan().Count('/')
            || path.AsSpan().Count("%25") != decoded.AsSpan().Count('%')
            || decoded.Contains('\\', StringComparison.Ordinal)
            || HiddenCharacters.IndexIn(decoded) >= 0)
        {
            return null;
        }

        return SentPath.FindPrefix(requested, key) is { } prefix && decoded.StartsWith(prefix, StringComparison.Ordinal) && decoded[prefix.Length..] is { Length: > 0 } other && other != key ? other : null;
    }

    private static string? GetHeader(HttpResponseMessage response, string name) => response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;
}
