using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Gateway.Storage;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Gateway.Access;

/// <summary>Signed URLs: docs/signing.md. Section <c>Authentication:Schemes:SignedUrl</c>. Read once at the start.</summary>
internal sealed class SignedUrlOptions : AuthenticationSchemeOptions
{
    /// <summary>Minimum bytes of a key: the length of the signature.</summary>
    public const int MinKeyBytes = 32;

    /// <summary>Secrets in Base64, each at least 32 random bytes. All are accepted, so that they can be replaced one by one.</summary>
    public IList<string> Keys { get; } = [];

    /// <summary>Roles of a client with a signed URL, for policies that require a role.</summary>
    public IList<string> Roles { get; } = [];

    /// <summary>The key that signs: the first one.</summary>
    /// <exception cref="InvalidConfigurationException">There is none, or it is not valid.</exception>
    public static byte[] FindFirstKey(IConfiguration configuration)
    {
        var options = new SignedUrlOptions();
        var section = configuration.GetSection($"{AccessRegistration.Section}:{SignedUrlHandler.Name}");
        section.Bind(options);
        try
        {
            options.Validate();
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidConfigurationException([e.Message], e);
        }

        return options.Keys.Count > 0 ? Convert.FromBase64String(options.Keys[0]) : throw new InvalidConfigurationException([$"{section.Path}:{nameof(Keys)}: there is no key to sign with"]);
    }

    /// <inheritdoc/>
    public override void Validate()
    {
        for (var i = 0; i < Keys.Count; i++)
        {
            if (!Convert.TryFromBase64String(Keys[i], new byte[Keys[i].Length], out var length) || length < MinKeyBytes)
            {
                throw new InvalidOperationException($"{AccessRegistration.Section}:{SignedUrlHandler.Name}:Keys:{i} is not Base64 of at least {MinKeyBytes} bytes");
            }
        }
    }
}

/// <summary>
/// Checks the last two parameters of a URL, <c>expires</c> (seconds since 1970) and <c>signature</c>: HMAC-SHA-256 in Base64url, without
/// padding, over the path and the query as they were sent, up to <c>&amp;signature=</c>. So no part of it can be
/// changed, including order, format and time. docs/signing.md has samples.
/// </summary>
internal sealed class SignedUrlHandler(IOptionsMonitor<SignedUrlOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<SignedUrlOptions>(options, logger, encoder)
{
    public const string Name = "SignedUrl";
    public const string Expires = "expires";
    public const string Signature = "signature";

    private const string Mark = "&" + Signature + "=";
    private const string SchemeEnd = "://";

    // HMAC-SHA-256 in Base64url without padding.
    private const int SignatureLength = 43;

    /// <summary>Signs a URL.</summary>
    /// <param name="key">One of the keys.</param>
    /// <param name="target">Path and query as they will be sent.</param>
    /// <param name="expires">The end of its validity, in whole seconds.</param>
    public static string Sign(byte[] key, string target, DateTimeOffset expires)
    {
        var separator = !target.Contains('?', StringComparison.Ordinal) ? "?" : target[^1] is '?' or '&' ? "" : "&";
        var text = string.Create(CultureInfo.InvariantCulture, $"{target}{separator}{Expires}={expires.ToUnixTimeSeconds()}");
        return $"{text}{Mark}{Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)))}";
    }

    /// <summary>Whether a request has a signature parameter.</summary>
    public static bool IsSigned(HttpRequest request) => GetTarget(request).Contains(Mark, StringComparison.Ordinal);

    /// <summary>Removes signature and time from the request's query.</summary>
    public static void Strip(HttpRequest request)
    {
        var query = request.QueryString.Value ?? "";
        if (query.LastIndexOf(Mark, StringComparison.Ordinal) is >= 0 and var mark)
        {
            var kept = query[1..mark];
            var last = kept.LastIndexOf('&') + 1;
            if (kept.AsSpan(last).StartsWith(Expires + "=", StringComparison.Ordinal))
            {
                kept = kept[..Math.Max(last - 1, 0)];
            }

            request.QueryString = kept.Length == 0 ? QueryString.Empty : new QueryString("?" + kept);
        }
    }

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var target = GetTarget(Request);
        var mark = target.LastIndexOf(Mark, StringComparison.Ordinal);
        return Task.FromResult(
            mark < 0 ? AuthenticateResult.NoResult()
            : !(HttpMethods.IsGet(Request.Method) || HttpMethods.IsHead(Request.Method)) ? AuthenticateResult.Fail("only GET and HEAD can be signed")
            : !IsRight(target[..mark], target.AsSpan(mark + Mark.Length)) ? AuthenticateResult.Fail("the signature is not valid")
            : !(GetExpires(target[..mark]) > TimeProvider.GetUtcNow().ToUnixTimeSeconds()) ? AuthenticateResult.Fail("the signed URL has expired")

            // Anyone may hold the URL, so it identifies no one.
            : AuthenticateResult.Success(new(AccessRegistration.Principal(Name, null, Options.Roles), Name)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = Name;
        return Task.CompletedTask;
    }

    /// <summary>Path and query as they were sent: decoding and encoding again could produce another path.</summary>
    private static string GetTarget(HttpRequest request)
    {
        var target = request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (target.StartsWith('/') || target.IndexOf(SchemeEnd, StringComparison.Ordinal) is not (>= 0 and var scheme))
        {
            return target;
        }

        // In an absolute-form URL, the path follows the host. A slash in a query or a fragment does not start a path.
        var rest = target.AsSpan(scheme + SchemeEnd.Length);
        return rest.IndexOfAny("/?#\\") is >= 0 and var end && rest[end] == '/' ? rest[end..].ToString() : "";
    }

    private bool IsRight(string signed, ReadOnlySpan<char> signature)
    {
        if (signature.Length != SignatureLength || !Base64Url.IsValid(signature, out var length) || length != HMACSHA256.HashSizeInBytes)
        {
            return false;
        }

        var (text, shown) = (Encoding.UTF8.GetBytes(signed), Base64Url.DecodeFromChars(signature));
        var isRight = false;
        foreach (var key in Options.Keys)
        {
            isRight |= CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(Convert.FromBase64String(key), text), shown);
        }

        return isRight;
    }

    /// <summary>The last parameter before the signature.</summary>
    private static long? GetExpires(string target)
    {
        var last = target.AsSpan(target.LastIndexOfAny(['?', '&']) + 1);
        return last.StartsWith(Expires + "=", StringComparison.Ordinal) && long.TryParse(last[(Expires.Length + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? seconds
            : null;
    }
}
