namespace Gateway.Resuming;

/// <summary>Adds what is known of archives from earlier requests.</summary>
internal static class ResumingRegistration
{
    public static void AddResuming(this IServiceCollection services)
    {
        services.AddSingleton<ResumeStateCache>();
    }
}
