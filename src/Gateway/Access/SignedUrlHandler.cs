using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;

namespace Gateway.Access;

/// <summary>Addresses that were signed by somebody who has a key. Section <c>Authentication:Schemes:SignedUrl</c>.</summary>
internal sealed class SignedUrlOptions : AuthenticationSchemeOptions
{
    /// <summary>Bytes of a key at least: as many as the signature has.</summary>
    public const int LeastKeyBytes = 32;

    /// <summary>Secrets in Base64, at least 32 random bytes each; all are accepted, so that they can be exchanged one by one. Default: none,
    /// and the scheme is off.</summary>
    public IList<string> Keys { get; } = [];

    /// <summary>What the holder of a signed address may, for policies that ask for a role. Default: none.</summary>
    public IList<string> Roles { get; } = [];

    /// <inheritdoc/>
    public override void Validate()
    {
        for (var i = 0; i < Keys.Count; i++)
        {
            if (!Convert.TryFromBase64String(Keys[i], new byte[Keys[i].Length], out var length) || length < LeastKeyBytes)
            {
                throw new InvalidOperationException($"{AccessRegistration.Section}:{SignedUrlHandler.Name}:Keys:{i} is not Base64 of at least {LeastKeyBytes} bytes");
            }
        }
    }
}

/// <summary>
/// Looks at the last two parameters of an address, <c>expires</c> (seconds since 1970) and <c>signature</c>: HMAC-SHA-256 in Base64url, without
/// padding, over the path, a question mark and everything of the query before <c>&amp;signature=</c>, as it was sent. So nothing of it can be
/// changed, neither order nor format nor time. docs/signing.md has samples.
/// </summary>
internal sealed class SignedUrlHandler(IOptionsMonitor<SignedUrlOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<SignedUrlOptions>(options, logger, encoder)
{
    public const string Name = "SignedUrl";
    public const string Expires = "expires";
    public const string Signature = "signature";

    private const string Mark = "&" + Signature + "=";

    /// <summary>Whether a request says that it is signed.</summary>
    public static bool IsSigned(HttpRequest request) => request.QueryString.Value?.Contains(Mark, StringComparison.Ordinal) == true;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var query = Request.QueryString.Value ?? "";
        var mark = query.LastIndexOf(Mark, StringComparison.Ordinal);
        return Task.FromResult(
            mark < 0 ? AuthenticateResult.NoResult()
            : !(HttpMethods.IsGet(Request.Method) || HttpMethods.IsHead(Request.Method)) ? AuthenticateResult.Fail("only a GET or a HEAD can be signed")
            : !IsRight(query[..mark], query.AsSpan(mark + Mark.Length)) ? AuthenticateResult.Fail("the signature is not right")
            : !(ExpiresOf(query[..mark]) > TimeProvider.GetUtcNow().ToUnixTimeSeconds()) ? AuthenticateResult.Fail("the address has expired")
            : AuthenticateResult.Success(new(AccessRegistration.Principal(Name, Name, Options.Roles), Name)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = Name;
        return Task.CompletedTask;
    }

    private bool IsRight(string signed, ReadOnlySpan<char> signature)
    {
        if (!Base64Url.IsValid(signature, out var length) || length != HMACSHA256.HashSizeInBytes)
        {
            return false;
        }

        var (text, shown) = (Encoding.UTF8.GetBytes(Request.PathBase + Request.Path + signed), Base64Url.DecodeFromChars(signature));
        var isRight = false;
        foreach (var key in Options.Keys)
        {
            isRight |= CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(Convert.FromBase64String(key), text), shown);
        }

        return isRight;
    }

    /// <summary>The one and last parameter before the signature.</summary>
    private static long? ExpiresOf(string query)
    {
        long? expires = null;
        foreach (var pair in new QueryStringEnumerable(query))
        {
            expires = pair.EncodedName.Span is Expires && long.TryParse(pair.EncodedValue.Span, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : null;
        }

        return expires;
    }
}
