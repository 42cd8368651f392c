using Gateway.Storage.Stores.Folder;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Yarp.ReverseProxy.Configuration;

namespace Storage.Tests.Stores.Folder;

public sealed class FolderAddressesTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("gateway-test-");
    private readonly FolderAddresses _addresses;

    public FolderAddressesTests()
    {
        _root.CreateSubdirectory("a b");
        _addresses = new FolderAddresses(new Environment(_root.FullName));
    }

    public void Dispose() => _root.Delete(recursive: true);

    [Theory]
    [InlineData("file:a%20b")]
    [InlineData("file:a b/")]
    [InlineData("FILE:./a%20b/")]
    [InlineData("file:{0}/a%20b")]
    [InlineData("file://{0}/a%20b/")]
    public async Task Every_form_of_a_folder_becomes_an_absolute_address(string address)
    {
        var cluster = Create(("d", address.Replace("{0}", _root.FullName, StringComparison.Ordinal)));

        var configured = await _addresses.ConfigureClusterAsync(cluster, default);

        Assert.Equal(new Uri(_root.FullName + "/a b/").AbsoluteUri, configured.Destinations!["D"].Address);
    }

    [Fact]
    public async Task Other_destinations_stay_as_they_are()
    {
        var cluster = Create(("d", "http://host/file:x"));

        Assert.Same(cluster, await _addresses.ConfigureClusterAsync(cluster, default));

        var mixed = await _addresses.ConfigureClusterAsync(Create(("d", "http://host/"), ("f", "file:a b")), default);
        Assert.Equal("http://host/", mixed.Destinations!["d"].Address);
    }

    [Fact]
    public async Task A_folder_that_does_not_exist_is_an_error_at_the_start()
    {
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => _addresses.ConfigureClusterAsync(Create(("d", "file:missing")), default).AsTask());

        Assert.Equal($"ReverseProxy:Clusters:c:Destinations:d:Address: the folder '{Path.Combine(_root.FullName, "missing")}' does not exist", fault.Message);
    }

    private static ClusterConfig Create(params (string Id, string Address)[] destinations) =>
        new() { ClusterId = "c", Destinations = destinations.ToDictionary(one => one.Id, one => new DestinationConfig { Address = one.Address }) };

    private sealed class Environment(string root) : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = "Test";

        public string ApplicationName { get; set; } = "Test";

        public string ContentRootPath { get; set; } = root;

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
