using System.Formats.Tar;
using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Benchmarks.Peers;

/// <summary>The obvious implementation: a minimal API with the runtime's <see cref="TarWriter"/>, with or without <see cref="GZipStream"/>.</summary>
internal static class TarWriterServer
{
    public static Task RunAsync(string origin)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information);
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var client = new HttpClient { BaseAddress = new Uri(origin) };
        app.MapPost("/tar", context => WriteAsync(context, client, context.Response.Body));
        app.MapPost("/tar.gz", async context =>
        {
            await using var gzip = new GZipStream(context.Response.Body, CompressionLevel.Fastest);
            await WriteAsync(context, client, gzip);
        });
        return app.RunAsync();
    }

    private static async Task WriteAsync(HttpContext context, HttpClient client, Stream output)
    {
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        var keys = (await new StreamReader(context.Request.Body).ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await using var tar = new TarWriter(output, TarEntryFormat.Pax, leaveOpen: true);
        foreach (var key in keys)
        {
            using var response = await client.GetAsync(key, HttpCompletionOption.ResponseHeadersRead);
            await using var body = await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync();

            // The writer needs the length, and takes it from the stream.
            await using var sized = new SizedStream(body, response.Content.Headers.ContentLength!.Value);
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, key) { DataStream = sized });
        }
    }

    /// <summary>A body with its length, as the writer requires.</summary>
    private sealed class SizedStream(Stream body, long length) : Stream
    {
        private long _position;

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position
        {
            get => _position;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await body.ReadAsync(buffer, cancellationToken);
            _position += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
