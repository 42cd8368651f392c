using Gateway.Planning;
using Gateway.Runs;
using Gateway.Streaming;

namespace Gateway.Bundles;

/// <summary>Adds the core: everything between a door and the response.</summary>
internal static class BundlesRegistration
{
    public static void AddBundles(this IServiceCollection services)
    {
        services.AddSingleton<BundleRunFactory>();
        services.AddSingleton<RunningBundles>();
        services.AddSingleton<BundlePlanner>();
        services.AddSingleton<FolderExpander>();
        services.AddSingleton<FolderLister>();
        services.AddSingleton<ObjectProber>();
        services.AddSingleton<HeadVerifier>();
        services.AddSingleton<ArchiveMaker>();
        services.AddSingleton<RangeStreamer>();
        services.AddSingleton<BundleStreamer>();
        services.AddSingleton<BundleRecorder>();
        services.AddSingleton<BundleExecutor>();
    }
}
