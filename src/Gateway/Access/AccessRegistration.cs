using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Access;

/// <summary>
/// Who a client is: by a bearer token (ASP.NET Core's own <c>Authentication:Schemes:Bearer</c>), a key, or a signed address; each is off until
/// its section is there. What it may, the routes say by <c>AuthorizationPolicy</c>: <c>default</c> for everybody who is known, or one of
/// the section <c>Authorization:Policies</c>.
/// </summary>
internal static class AccessRegistration
{
    /// <summary>ASP.NET Core's own section of schemes.</summary>
    public const string Section = "Authentication:Schemes";

    private const string Any = "Any";

    private static readonly string[] Schemes = [JwtBearerDefaults.AuthenticationScheme, ApiKeyHandler.Name, SignedUrlHandler.Name];

    /// <exception cref="InvalidOperationException">A scheme or a policy that cannot be understood.</exception>
    public static void AddAccess(this WebApplicationBuilder builder)
    {
        AddPolicies(builder);
        var configured = Schemes.Where(scheme => builder.Configuration.GetSection($"{Section}:{scheme}").Exists()).ToArray();
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
                    builder.Services.AddSingleton<ITransformProvider, KeyTransforms>();
                    break;
                case SignedUrlHandler.Name:
                    authentication.AddScheme<SignedUrlOptions, SignedUrlHandler>(scheme, null);
                    BindAndCheck<SignedUrlOptions>(builder, scheme);
                    break;
                default:
                    authentication.AddJwtBearer(scheme);
                    break;
            }
        }
    }

    /// <summary>Somebody who was recognized.</summary>
    public static ClaimsPrincipal Principal(string scheme, string name, IEnumerable<string> roles) =>
        new(new ClaimsIdentity([new Claim(ClaimTypes.Name, name), .. roles.Select(role => new Claim(ClaimTypes.Role, role))], scheme));

    /// <summary>What a request shows decides; of two it is the more special one.</summary>
    private static string Select(HttpRequest request, string[] configured) =>
        SignedUrlHandler.IsSigned(request) && configured.Contains(SignedUrlHandler.Name) ? SignedUrlHandler.Name
        : request.Headers.ContainsKey(ApiKeyHandler.Header) && configured.Contains(ApiKeyHandler.Name) ? ApiKeyHandler.Name
        : configured[0];

    private static void BindAndCheck<TOptions>(WebApplicationBuilder builder, string scheme)
        where TOptions : AuthenticationSchemeOptions, new()
    {
        var section = builder.Configuration.GetSection($"{Section}:{scheme}");

        // Faults shall stop the start, not the first client.
        var now = new TOptions();
        section.Bind(now, binder => binder.ErrorOnUnknownConfiguration = true);
        now.Validate();
        builder.Services.Configure<TOptions>(scheme, options => section.Bind(options));
    }

    private static void AddPolicies(WebApplicationBuilder builder)
    {
        var authorization = builder.Services.AddAuthorizationBuilder();
        foreach (var policy in builder.Configuration.GetSection("Authorization:Policies").GetChildren())
        {
            if (policy.GetChildren().FirstOrDefault(child => child.Key is not ("Roles" or "Claims")) is { } unknown)
            {
                throw new InvalidOperationException($"{unknown.Path}: unknown key; known: Roles, Claims");
            }

            authorization.AddPolicy(policy.Key, rules =>
            {
                rules.RequireAuthenticatedUser();
                if (policy.GetSection("Roles").Get<string[]>() is { Length: > 0 } roles)
                {
                    rules.RequireRole(roles);
                }

                foreach (var claim in policy.GetSection("Claims").GetChildren())
                {
                    rules.RequireClaim(claim.Key, claim.Get<string[]>() ?? []);
                }
            });
        }
    }
}
