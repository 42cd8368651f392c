using System.Reflection;

namespace Gateway.Telemetry;

/// <summary>The version of the gateway, as it is built: <c>0.2.0+commit</c>.</summary>
internal static class ProductVersion
{
    public static string Text { get; } = typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
