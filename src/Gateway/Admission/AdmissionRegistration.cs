namespace Gateway.Admission;

/// <summary>Adds permits, memory and draining.</summary>
internal static class AdmissionRegistration
{
    public static void AddAdmission(this IServiceCollection services)
    {
        services.AddSingleton<BundlePermits>();
        services.AddSingleton<BundleMemory>();
        services.AddSingleton<AdmissionControl>();
        services.AddSingleton<Drain>();
        services.AddHostedService(provider => provider.GetRequiredService<Drain>());
    }
}
