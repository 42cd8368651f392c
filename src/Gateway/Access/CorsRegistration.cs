using System.ComponentModel.DataAnnotations;
using Gateway.Configuration;
using Gateway.Storage;
using Microsoft.AspNetCore.Cors.Infrastructure;

namespace Gateway.Access;

/// <summary>Lets web apps on other origins use the gateway, with ASP.NET Core's middleware and the policies of <see cref="CorsSettings"/>.</summary>
internal static class CorsRegistration
{
    // Reserved words in YARP's routes. A default policy would apply to every route without one.
    private static readonly string[] Reserved = ["default", "disable"];

    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head, HttpMethods.Post];

    private static readonly string[] Headers = ["Range", "If-Range", "Content-Type", "Authorization", ApiKeyHandler.Header];

    private static readonly string[] ExposedHeaders =
    [
        "Content-Disposition", "ETag", "Content-Range", "Accept-Ranges", "Bundle-Entries", "Bundle-Skipped", "Bundle-Size", "Repr-Digest", "Location", "Retry-After",
        "WWW-Authenticate", "Accept-Encoding",
    ];

    /// <exception cref="InvalidConfigurationException">A policy is invalid or unsafe.</exception>
    public static void AddCorsPolicies(this WebApplicationBuilder builder)
    {
        var section = builder.Configuration.GetSection(CorsSettings.Section);
        var faults = ConfigurationFaults.Find<CorsSettings>(section);
        RequireNone(faults);
        var settings = section.Get<CorsSettings>() ?? new CorsSettings();
        foreach (var (name, policy) in settings.Policies)
        {
            var results = new List<ValidationResult>();
            Validator.TryValidateObject(policy, new ValidationContext(policy), results, validateAllProperties: true);
            if (Reserved.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                faults.Add($"{CorsSettings.Section}:{nameof(CorsSettings.Policies)}:{name}: the name is reserved; use another one");
            }

            faults.AddRange(results.Select(result => $"{CorsSettings.Section}:{nameof(CorsSettings.Policies)}:{name}:{result.ErrorMessage}"));
        }

        RequireNone(faults);
        builder.Services.AddSingleton(settings);
        builder.Services.AddCors(options =>
        {
            foreach (var (name, policy) in settings.Policies)
            {
                options.AddPolicy(name, Build(policy));
            }
        });
    }

    private static CorsPolicy Build(CorsPolicySettings settings)
    {
        var policy = new CorsPolicyBuilder()
            .WithMethods(Or(settings.Methods, Methods))
            .WithHeaders(Or(settings.Headers, Headers))
            .WithExposedHeaders(Or(settings.ExposedHeaders, ExposedHeaders))
            .SetPreflightMaxAge(settings.MaxAge);
        _ = settings.Origins.Contains(CorsPolicySettings.Any)
            ? policy.AllowAnyOrigin()
            : policy.WithOrigins([.. settings.Origins]).SetIsOriginAllowedToAllowWildcardSubdomains();
        return (settings.Credentials ? policy.AllowCredentials() : policy).Build();
    }

    private static string[] Or(IList<string> configured, string[] otherwise) => configured.Count > 0 ? [.. configured] : otherwise;

    private static void RequireNone(List<string> faults)
    {
        if (faults.Count > 0)
        {
            throw new InvalidConfigurationException(faults);
        }
    }
}
