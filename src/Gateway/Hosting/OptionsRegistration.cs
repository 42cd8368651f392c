using Gateway.Storage;
using Gateway.Storage.Sources;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary>Binds the section <c>Bundle</c>, and hands each folder its own part.</summary>
internal static class OptionsRegistration
{
    public static void AddBundleOptions(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<IValidateOptions<BundleOptions>, BundleOptionsValidator>();
        services.AddOptions<BundleOptions>().Bind(configuration.GetSection(BundleOptions.Section));
        AddPart(options => options.Limits);
        AddPart(options => options.Upstream);
        AddPart(options => options.Memory);
        AddPart(options => options.Client);
        AddPart(options => options.Compression);
        AddPart(options => options.Names);
        AddPart(options => options.Ready);
        AddPart(options => options.Resume);
        AddPart(options => options.Links);
        AddPart(options => options.Drain);
        services.AddSingleton(provider => new DefaultSource(provider.GetRequiredService<IOptions<BundleOptions>>().Value.DefaultSource));
        services.AddSingleton(provider => new DecodingLimit(provider.GetRequiredService<IOptions<BundleOptions>>().Value.Limits.MaxBytes));

        void AddPart<T>(Func<BundleOptions, T> part)
            where T : class =>
            services.AddSingleton(provider => Options.Create(part(provider.GetRequiredService<IOptions<BundleOptions>>().Value)));
    }
}
