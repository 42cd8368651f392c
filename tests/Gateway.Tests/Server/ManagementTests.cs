using Gateway.Server;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Configuration;

namespace Gateway.Tests.Server;

public class ManagementTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData("", "")]
    [InlineData("http://*:9000", "http://*:9000")]
    [InlineData(" http://*:9000 ; ; http://[::1]:9001;", "http://*:9000|http://[::1]:9001")]
    public void Addresses_are_separated_by_semicolons(string? urls, string expected) =>
        Assert.Equal(expected.Split('|', StringSplitOptions.RemoveEmptyEntries), Management.GetUrls(Configure(("Management:Urls", urls))));

    [Theory]
    [InlineData("http://*:8080", "http://*:9000")]
    [InlineData("http://*:8080;https://*:8443", "http://*:9000;http://*:9001")]
    [InlineData("http://*:0", "http://127.0.0.1:0")]
    [InlineData("http://*", "http://*:9000")]
    public void The_second_listener_comes_last(string urls, string management) =>
        Assert.Equal($"{urls};{management}", Management.Join(Configure(("urls", urls), ("Management:Urls", management))));

    [Theory]
    [InlineData("http://*:8080", "http://*:8080")]
    [InlineData("http://a:8080", "http://b:8080")]
    [InlineData("http://*", "http://localhost:80")]
    [InlineData("http://*:8080;https://*:8443", "http://*:9000;http://*:8443")]
    [InlineData("http://unix:/tmp/a", "http://*:9000")]
    [InlineData("http://*:8080", "http://unix:/tmp/a")]
    public void Two_listeners_need_separate_ports(string urls, string management)
    {
        var fault = Assert.Throws<InvalidOperationException>(() => Management.Join(Configure(("urls", urls), ("Management:Urls", management))));

        Assert.Equal("Management:Urls: requires separate ports, which distinguish the two listeners", fault.Message);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("http://*:8080", "http://*:8081")]
    public void The_first_listener_must_be_in_urls(string? urls, string? endpoint)
    {
        var configuration = Configure(("urls", urls), ("Management:Urls", "http://*:9000"), ("Kestrel:Endpoints:Http:Url", endpoint));

        var fault = Assert.Throws<InvalidOperationException>(() => Management.Join(configuration));

        Assert.Equal("Management:Urls: requires that the other addresses are set with urls, not with Kestrel:Endpoints or ports", fault.Message);
    }

    [Theory]
    [InlineData("/health/ready", 9000, true)]
    [InlineData("/HEALTH", 9001, true)]
    [InlineData("/bundle", 8080, true)]
    [InlineData("/healthy", 8080, true)]
    [InlineData("/health/ready", 8080, false)]
    [InlineData("/bundle", 9000, false)]
    public async Task Health_is_served_only_by_the_second_listener_and_nothing_else_is(string path, int port, bool isServed)
    {
        var management = new Management(new Server("http://[::]:8080", "http://[::]:9000", "http://[::]:9001"), ["http://*:0", "http://*:0"]);
        var http = new DefaultHttpContext { Connection = { LocalPort = port }, Request = { Path = path } };
        http.SetEndpoint(new Endpoint(null, null, null));

        var passes = await TestHttp.PassesAsync(http, management.GuardAsync);

        Assert.Equal(isServed, passes);
        Assert.Equal((isServed ? 200 : 404, isServed), (http.Response.StatusCode, http.GetEndpoint() is not null));
    }

    private static IConfiguration Configure(params (string Key, string? Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.Where(one => one.Value is not null).ToDictionary(one => one.Key, one => one.Value)).Build();

    private sealed class Server : IServer
    {
        public Server(params string[] addresses)
        {
            var feature = new ServerAddressesFeature();
            foreach (var address in addresses)
            {
                feature.Addresses.Add(address);
            }

            Features.Set<IServerAddressesFeature>(feature);
        }

        public IFeatureCollection Features { get; } = new FeatureCollection();

        public void Dispose()
        {
        }

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
