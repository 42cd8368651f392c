using System.Net;
using Gateway.Archiving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Testing;

namespace Archiving.Tests;

/// <summary>The library inside another web app, as in docs/library.md.</summary>
public sealed class MinimalApiTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-library-");
    private readonly WebApplication _app;

    public MinimalApiTests()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddHttpClient("store", client => client.BaseAddress = new Uri(_upstream.Address));
        _app = builder.Build();
        _app.MapGet("/files.tar.gz", async (HttpContext http, CancellationToken cancellationToken) =>
        {
            http.Response.ContentType = "application/gzip";
            var archive = ArchiveWriter.Create(new ArchiveRecipe(), http.Response.BodyWriter);
            try
            {
                foreach (var file in _folder.EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal))
                {
                    await using var body = file.OpenRead();
                    await archive.WriteEntryAsync(new ArchiveEntry(file.Name, body.Length, file.LastWriteTimeUtc), body, cancellationToken);
                }

                await archive.FinishAsync(cancellationToken);
            }
            catch
            {
                http.Abort();
                throw;
            }
            finally
            {
                archive.Complete();
            }
        });
        _app.MapGet("/objects.tar.gz", async (HttpContext http, IHttpClientFactory clients, CancellationToken cancellationToken) =>
        {
            http.Response.ContentType = "application/gzip";
            var archive = ArchiveWriter.Create(new ArchiveRecipe(), http.Response.BodyWriter);
            try
            {
                using var store = clients.CreateClient("store");
                foreach (var key in http.Request.Query["key"])
                {
                    using var response = await store.GetAsync(key, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
                    response.EnsureSuccessStatusCode();
                    var headers = response.Content.Headers;
                    var entry = new ArchiveEntry(key!, headers.ContentLength!.Value, headers.LastModified ?? DateTimeOffset.UnixEpoch);
                    await archive.WriteEntryAsync(entry, await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken);
                }

                await archive.FinishAsync(cancellationToken);
            }
            catch
            {
                http.Abort();
                throw;
            }
            finally
            {
                archive.Complete();
            }
        });
    }

    public async ValueTask InitializeAsync() => await _app.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Local_files_are_streamed_as_an_archive()
    {
        var large = new ObjectContent(3_000_000, 1).ToArray();
        await File.WriteAllBytesAsync(Path.Combine(_folder.FullName, "large.bin"), large);
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "small.txt"), "small");

        var entries = (await GetAsync("/files.tar.gz")).RequireWhole();

        Assert.Equal(large, entries["large.bin"]);
        Assert.Equal("small"u8.ToArray(), entries["small.txt"]);
    }

    [Fact]
    public async Task Objects_behind_an_HttpClient_are_streamed_as_an_archive()
    {
        var a = _upstream.Put("/a", 500_000, seed: 1);
        var b = _upstream.Put("/b", 1, seed: 2);

        var entries = (await GetAsync("/objects.tar.gz?key=a&key=b")).RequireWhole();

        Assert.Equal(a, entries["a"]);
        Assert.Equal(b, entries["b"]);
    }

    [Fact]
    public async Task An_object_that_breaks_off_cuts_the_archive_visibly()
    {
        _upstream.Put("/a", 500_000, seed: 1);
        _upstream.Fail("/a", Fault.Close(after: 300_000));

        (await GetAsync("/objects.tar.gz?key=a")).RequireCut();
    }

    private async Task<Download> GetAsync(string url)
    {
        using var client = new HttpClient { BaseAddress = new Uri(_app.Urls.First()), DefaultRequestVersion = HttpVersion.Version11 };
        return await Download.GetAsync(client, url);
    }
}
