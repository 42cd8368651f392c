using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Gateway.Access;

/// <summary>Clients that send an API key in <c>X-Api-Key</c>. Section <c>Authentication:Schemes:ApiKey</c>. Read once at the start.</summary>
internal sealed class ApiKeyOptions : AuthenticationSchemeOptions
{
    /// <summary>API keys by the name of their owner. The owner is the client that limits apply to.</summary>
    public IDictionary<string, ApiKey> Keys { get; } = new Dictionary<string, ApiKey>(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override void Validate()
    {
        foreach (var (name, key) in Keys)
        {
            if (key?.Hash is null)
            {
                throw new InvalidOperationException($"{AccessRegistration.Section}:{ApiKeyHandler.Name}:Keys:{name}:Sha256 is not 64 hexadecimal digits");
            }
        }
    }
}

/// <summary>One API key.</summary>
internal sealed class ApiKey
{
    /// <summary>The SHA-256 of the key, as 64 hexadecimal digits. So the configuration contains no usable key.</summary>
    public string? Sha256 { get; set; }

    /// <summary>Roles of the owner, for policies that require a role.</summary>
    public IList<string> Roles { get; } = [];

    /// <summary>The hash; null when it is invalid.</summary>
    public byte[]? Hash => Sha256?.Length == 2 * SHA256.HashSizeInBytes && Sha256.All(char.IsAsciiHexDigit) ? Convert.FromHexString(Sha256) : null;
}

/// <summary>Reads <c>X-Api-Key</c>. Every key is compared, each in constant time.</summary>
internal sealed class ApiKeyHandler(IOptionsMonitor<ApiKeyOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<ApiKeyOptions>(options, logger, encoder)
{
    public const string Name = "ApiKey";
    public const string Header = "X-Api-Key";

    private const int MaxLength = 1024;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers[Header] is not [{ Length: > 0 and <= MaxLength } shown])
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(shown));
        string? owner = null;
        foreach (var (name, key) in Options.Keys)
        {
            owner = CryptographicOperations.FixedTimeEquals(hash, key.Hash) ? name : owner;
        }

        return Task.FromResult(owner is null
            ? AuthenticateResult.Fail("unknown key")
            : AuthenticateResult.Success(new(AccessRegistration.Principal(Name, owner, Options.Keys[owner].Roles), Name)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = Name;
        return Task.CompletedTask;
    }
}
