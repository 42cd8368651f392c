using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Gateway.Hosting;
using Gateway.Storage.Sources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using YamlDotNet.Serialization;

namespace Gateway.FunctionalTests.Deploy;

/// <summary>The files in <c>deploy/</c> match the program, although no image or cluster is built from them here.</summary>
public class DeployTests
{
    internal static readonly string Root = RootOf();

    [Theory]
    [InlineData("appsettings.json", "samples")]
    [InlineData("deploy/gateway.json", "objects")]
    [InlineData("deploy/kubernetes/gateway.json", "objects")]
    public void The_gateway_starts_with_every_configuration(string file, string source)
    {
        // The default's folder is next to the program.
        var path = file == "appsettings.json" ? null : Path.Combine(Root, file);

        using var app = GatewayHost.Build(path, "http://127.0.0.1:0", builder => builder.Logging.ClearProviders());

        Assert.NotNull(app.Services.GetRequiredService<SourceIndex>().Find(source));
    }

    [Fact]
    public void A_pod_may_take_longer_to_stop_than_the_drain()
    {
        using var app = GatewayHost.Build(Path.Combine(Root, "deploy/kubernetes/gateway.json"), "http://127.0.0.1:0", builder => builder.Logging.ClearProviders());
        var drain = app.Services.GetRequiredService<IOptions<BundleOptions>>().Value.Drain;
        var pod = Pod();

        Assert.True(int.Parse((string)pod["terminationGracePeriodSeconds"], CultureInfo.InvariantCulture) >= (drain.Delay + drain.Timeout).TotalSeconds + 10);
        Assert.Contains("stop_grace_period: 330s", File.ReadAllText(Path.Combine(Root, "deploy/compose.yaml")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_is_probed_at_existing_endpoints_and_has_no_write_access()
    {
        var container = (Dictionary<object, object>)((List<object>)Pod()["containers"])[0];

        Assert.Equal("/health/ready", At(container, "readinessProbe", "httpGet", "path"));
        Assert.Equal("/health/live", At(container, "livenessProbe", "httpGet", "path"));
        Assert.Equal("true", At(container, "securityContext", "readOnlyRootFilesystem"));
        Assert.Equal("false", At(container, "securityContext", "allowPrivilegeEscalation"));
        Assert.Equal("true", At(Pod(), "securityContext", "runAsNonRoot"));
    }

    [Fact]
    public void Compose_and_cluster_use_the_same_configuration()
    {
        static string Canonical(string file) => JsonSerializer.Serialize(JsonDocument.Parse(File.ReadAllText(Path.Combine(Root, file))));

        Assert.Equal(Canonical("deploy/gateway.json"), Canonical("deploy/kubernetes/gateway.json"));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, "deploy"), "*.yaml", SearchOption.AllDirectories))
        {
            Assert.NotNull(Read(file));
        }
    }

    [Fact]
    public void Replicas_match_the_balancer_s_configuration_and_share_Redis_and_keys()
    {
        var services = (Dictionary<object, object>)Read(Path.Combine(Root, "deploy/replicas.yaml"))["services"];
        var balancer = File.ReadAllText(Path.Combine(Root, "deploy/haproxy.cfg"));
        foreach (var name in new[] { "gateway-1", "gateway-2" })
        {
            Assert.Contains($" {name}:8080", balancer, StringComparison.Ordinal);
            var environment = (Dictionary<object, object>)At(services, name, "environment");
            Assert.True(services.ContainsKey(environment["ConnectionStrings__Redis"]));
            Assert.Contains("Bundle__Links__Keys__0", environment.Keys);
        }
    }

    private static Dictionary<object, object> Pod() =>
        (Dictionary<object, object>)At(Read(Path.Combine(Root, "deploy/kubernetes/deployment.yaml")), "spec", "template", "spec");

    private static Dictionary<object, object> Read(string file) => new DeserializerBuilder().Build().Deserialize<Dictionary<object, object>>(File.ReadAllText(file));

    private static object At(Dictionary<object, object> map, params string[] path) =>
        path.Aggregate((object)map, (at, key) => ((Dictionary<object, object>)at)[key]);

    private static string RootOf([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../.."));
}
