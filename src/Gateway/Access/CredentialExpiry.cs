using System.Globalization;
using Microsoft.AspNetCore.Authentication;

namespace Gateway.Access;

/// <summary>When a client's rights expire.</summary>
internal static class CredentialExpiry
{
    // RFC 7519, section 4.1.4: seconds since 1970, possibly with a fraction.
    private const string Claim = "exp";

    /// <summary>The earliest expiry of all the client's credentials; null if none expires.</summary>
    public static DateTimeOffset? From(HttpContext context)
    {
        var ends = context.User.FindAll(Claim).Select(claim => Parse(claim.Value)).ToList();
        if (context.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult?.Properties?.ExpiresUtc is { } expires)
        {
            ends.Add(expires);
        }

        return ends.Count == 0 ? null : ends.Min();
    }

    /// <summary>An invalid value counts as expired.</summary>
    private static DateTimeOffset Parse(string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds >= 0
            ? DateTimeOffset.FromUnixTimeSeconds((long)Math.Min(Math.Floor(seconds), DateTimeOffset.MaxValue.ToUnixTimeSeconds()))
            : DateTimeOffset.MinValue;
}
