using System.ComponentModel.DataAnnotations;

namespace Gateway.Access;

/// <summary>Web apps on other origins (CORS). Section <c>Cors</c>. Read once at the start.</summary>
internal sealed class CorsSettings
{
    /// <summary>The section's name.</summary>
    public const string Section = "Cors";

    /// <summary>
    /// Policies by name. A route uses one with YARP's own key <c>CorsPolicy</c>; bundles, plans and links use <c>Bundle:CorsPolicy</c>. There is no
    /// default policy, and the names <c>default</c> and <c>disable</c> are reserved.
    /// </summary>
    /// <remarks>If a route has a policy, storage's own <c>Access-Control-*</c> headers are dropped. Preflights need no credentials.</remarks>
    public Dictionary<string, CorsPolicySettings> Policies { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The name as configured, for a name in any case; an unknown name is returned unchanged.</summary>
    public string GetName(string name) => Policies.Keys.FirstOrDefault(known => known.Equals(name, StringComparison.OrdinalIgnoreCase)) ?? name;
}

/// <summary>Which web apps may use the gateway. Section <c>Cors:Policies:{name}</c>.</summary>
internal sealed class CorsPolicySettings : IValidatableObject
{
    /// <summary>Any origin.</summary>
    public const string Any = "*";

    private static readonly TimeSpan MaxMaxAge = TimeSpan.FromDays(1);

    /// <summary>
    /// Origins like <c>https://app.example</c>, with the port if it is not the scheme's own. <c>https://*.example</c> is any host below; <c>*</c>, alone,
    /// is any origin. At least one is required.
    /// </summary>
    public IList<string> Origins { get; } = [];

    /// <summary>Allowed methods. Without any: GET, HEAD and POST.</summary>
    public IList<string> Methods { get; } = [];

    /// <summary>Request headers that a web app may set. Without any: Range, If-Range, Content-Type, Authorization and X-Api-Key.</summary>
    public IList<string> Headers { get; } = [];

    /// <summary>Response headers that a web app may read. Without any: all that the gateway sends with a bundle, a link or an error.</summary>
    public IList<string> ExposedHeaders { get; } = [];

    /// <summary>Whether a browser may send cookies and its own HTTP credentials. Not together with the origin <c>*</c>.</summary>
    public bool Credentials { get; set; }

    /// <summary>How long a browser may remember a preflight, up to 1 day.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Origins.Count == 0)
        {
            yield return new ValidationResult($"{nameof(Origins)}: at least one is required");
        }

        for (var i = 0; i < Origins.Count; i++)
        {
            if (Origins[i] != Any && !IsOrigin(Origins[i]))
            {
                yield return new ValidationResult($"{nameof(Origins)}:{i}: must be an origin like https://app.example or http://localhost:3000, without a path or trailing slash");
            }
        }

        if (Origins.Contains(Any) && Origins.Count > 1)
        {
            yield return new ValidationResult($"{nameof(Origins)}: '*' must be the only one");
        }

        if (Origins.Contains(Any) && Credentials)
        {
            yield return new ValidationResult($"{nameof(Credentials)}: cannot be true with the origin '*': every web site could then use the credentials of its visitors");
        }

        if (MaxAge < TimeSpan.Zero || MaxAge > MaxMaxAge)
        {
            yield return new ValidationResult($"{nameof(MaxAge)}: must be from 00:00:00 to 1.00:00:00");
        }
    }

    private static bool IsOrigin(string origin) =>
        Uri.TryCreate(origin.Replace("://*.", "://any.", StringComparison.Ordinal), UriKind.Absolute, out var uri)
        && uri.Scheme is "http" or "https"
        && !origin.EndsWith('/')
        && uri.GetLeftPart(UriPartial.Authority).Equals(uri.OriginalString, StringComparison.OrdinalIgnoreCase)
        && uri.UserInfo.Length == 0
        && !uri.Host.Contains('*', StringComparison.Ordinal);
}
