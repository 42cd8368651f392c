using System.Security.Claims;
using Gateway.Configuration;
using Gateway.Storage;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Access;

/// <summary>
/// Authentication of clients: by a bearer token (ASP.NET Core's own <c>Authentication:Schemes:Bearer</c>), a key, or a signed URL. Each is off
/// unless its section exists. Routes set permissions with <c>AuthorizationPolicy</c>: <c>default</c> for every authenticated client, or a policy
/// from the section <c>Authorization:Policies</c>.
/// </summary>
internal static class AccessRegistration
{
    /// <summary>ASP.NET Core's own section of schemes.</summary>
    public const string Section = "Authentication:Schemes";

    private const string Any = "Any";

    private static readonly string[] Schemes = [JwtBearerDefaults.AuthenticationScheme, ApiKeyHandler.Name, SignedUrlHandler.Name];

    /// <exception cref="InvalidOperationException">A scheme or a policy is invalid.</exception>
    public static void AddAccess(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SourceAuthorizer>();
        AddPolicies(builder);
        var configured = Configured(builder.Configuration);
        if (configured.Length == 0)
        {
            builder.Services.AddAuthentication();
            return;
        }

        var authentication = builder.Services.AddAuthentication(Any).AddPolicyScheme(Any, null, options =>
        {
            options.ForwardDefaultSelector = context => Select(context.Request, configured);
            options.ForwardChallenge = configured[0];
        });
        foreach (var scheme in configured)
        {
            switch (scheme)
            {
                case ApiKeyHandler.Name:
                    authentication.AddScheme<ApiKeyOptions, ApiKeyHandler>(scheme, null);
                    BindAndCheck<ApiKeyOptions>(builder, scheme);
                    break;
                case SignedUrlHandler.Name:
                    ConfigurationFaults.RequireList(builder.Configuration.GetSection($"{Section}:{scheme}:Keys"));
                    authentication.AddScheme<SignedUrlOptions, SignedUrlHandler>(scheme, null);
                    BindAndCheck<SignedUrlOptions>(builder, scheme);
                    break;
                default:
                    authentication.AddJwtBearer(scheme);
                    break;
            }
        }
    }

    /// <summary>Authenticates the client, and removes from its request what is meant only for the gateway: a key or a signature must reach
    /// neither a bundle nor storage behind a proxied route.</summary>
    public static void UseAccess(this WebApplication app)
    {
        var configured = Configured(app.Configuration);
        app.UseAuthentication();
        app.Use(new Credentials(configured).RemoveAsync);
        app.UseAuthorization();
    }

    /// <summary>An authenticated client.</summary>
    /// <param name="scheme">The scheme.</param>
    /// <param name="name">The client's name; null if unknown.</param>
    /// <param name="roles">The client's roles.</param>
    public static ClaimsPrincipal Principal(string scheme, string? name, IEnumerable<string> roles) =>
        new(new ClaimsIdentity([.. name is null ? Array.Empty<Claim>() : [new Claim(ClaimTypes.Name, name)], .. roles.Select(role => new Claim(ClaimTypes.Role, role))], scheme));

    private static string[] Configured(IConfiguration configuration) =>
        [.. Schemes.Where(scheme => configuration.GetSection($"{Section}:{scheme}").Exists())];

    /// <summary>The credentials of the request decide; of two kinds the more specific one.</summary>
    private static string Select(HttpRequest request, string[] configured) =>
        SignedUrlHandler.IsSigned(request) && configured.Contains(SignedUrlHandler.Name) ? SignedUrlHandler.Name
        : request.Headers.ContainsKey(ApiKeyHandler.Header) && configured.Contains(ApiKeyHandler.Name) ? ApiKeyHandler.Name
        : configured[0];

    private static void BindAndCheck<TOptions>(WebApplicationBuilder builder, string scheme)
        where TOptions : AuthenticationSchemeOptions, new()
    {
        var section = builder.Configuration.GetSection($"{Section}:{scheme}");

        // An error must prevent the start instead of failing the first request.
        if (ConfigurationFaults.Find<TOptions>(section, hasSecrets: true) is { Count: > 0 } faults)
        {
            throw new InvalidConfigurationException(faults);
        }

        var now = new TOptions();
        section.Bind(now);
        now.Validate();
        builder.Services.Configure<TOptions>(scheme, options => section.Bind(options));
    }

    private static void AddPolicies(WebApplicationBuilder builder)
    {
        var authorization = builder.Services.AddAuthorizationBuilder();
        foreach (var policy in builder.Configuration.GetSection("Authorization:Policies").GetChildren())
        {
            // Read now: an invalid policy must not let anyone in.
            var rules = policy.GetChildren().SelectMany(GetRules).ToArray();
            if (rules.Length == 0)
            {
                throw new InvalidOperationException($"{policy.Path}: requires neither Roles nor Claims; use 'default' for every authenticated client");
            }

            authorization.AddPolicy(policy.Key, policy =>
            {
                policy.RequireAuthenticatedUser();
                foreach (var rule in rules)
                {
                    rule(policy);
                }
            });
        }
    }

    private static IEnumerable<Action<AuthorizationPolicyBuilder>> GetRules(IConfigurationSection section)
    {
        switch (section.Key)
        {
            case "Roles":
                var roles = ConfigurationFaults.RequireList(section);
                return [policy => policy.RequireRole(roles)];
            case "Claims" when section.GetChildren().ToArray() is { Length: > 0 } claims:
                return claims.Select(claim => (claim.Key, Values: ConfigurationFaults.RequireList(claim)))
                    .Select(claim => (Action<AuthorizationPolicyBuilder>)(policy => policy.RequireClaim(claim.Key, claim.Values))).ToArray();
            case "Claims":
                throw new InvalidOperationException($"{section.Path}: must contain claims, each with a list of values");
            default:
                throw new InvalidOperationException($"{section.Path}: unknown key; known: Roles, Claims");
        }
    }
}
