using System.Globalization;
using Microsoft.AspNetCore.Authentication;

namespace Gateway.Access;

/// <summary>When the rights of a client end.</summary>
internal static class CredentialExpiry
{
    // RFC 7519, section 4.1.4: seconds since 1970, maybe with a fraction.
    private const string Claim = "exp";

    /// <summary>The earliest end of everything that the client was authenticated by; null when none of it ends.</summary>
    public static DateTimeOffset? From(HttpContext context)
    {
        var ends = context.User.FindAll(Claim).Select(claim => Parse(claim.Value)).ToList();
        if (context.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult?.Properties?.ExpiresUtc is { } expires)
        {
            ends.Add(expires);
        }

        return ends.Count == 0 ? null : ends.Min();
    }

    /// <summary>What cannot be read has ended.</summary>
    private static DateTimeOffset Parse(string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds >= 0
            ? DateTimeOffset.FromUnixTimeSeconds((long)Math.Min(Math.Floor(seconds), DateTimeOffset.MaxValue.ToUnixTimeSeconds()))
            : DateTimeOffset.MinValue;
}
