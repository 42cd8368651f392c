namespace Gateway.Responses;

/// <summary>Adds the responder of errors.</summary>
internal static class ResponsesRegistration
{
    public static void AddResponses(this IServiceCollection services)
    {
        services.AddSingleton<ProblemResponder>();
    }
}
