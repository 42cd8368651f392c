using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using Xunit;

namespace Testing;

/// <summary>What a client got: a status, and the bytes up to the end or the cut.</summary>
internal sealed record Download(HttpResponseMessage? Head, byte[] Bytes, Exception? Cut)
{
    /// <summary>The head of the answer; a cut at the very beginning can overtake it.</summary>
    public HttpResponseMessage Response => Head ?? throw Cut!;

    public HttpStatusCode Status => Response.StatusCode;

    public bool IsCut => Cut is not null;

    public static async Task<Download> GetAsync(HttpClient client, string url, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        return await SendAsync(client, request, cancellationToken);
    }

    public static async Task<Download> SendAsync(HttpClient client, HttpRequestMessage request, CancellationToken cancellationToken = default)
    {
        HttpResponseMessage? response = null;
        using var bytes = new MemoryStream();
        try
        {
            response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            await body.CopyToAsync(bytes, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new Download(response, bytes.ToArray(), e);
        }

        return new Download(response, bytes.ToArray(), null);
    }

    /// <summary>WHOLE: ended as it should, and every entry is what it should be.</summary>
    public IReadOnlyDictionary<string, byte[]> RequireWhole()
    {
        Assert.Null(Cut);
        Assert.Equal(HttpStatusCode.OK, Status);
        return ReadEntries(Bytes);
    }

    /// <summary>CUT: the transfer itself failed, and what came does not end like an archive.</summary>
    public void RequireCut()
    {
        Assert.NotNull(Cut);
        Assert.True(Head is null or { StatusCode: HttpStatusCode.OK });
        Assert.ThrowsAny<Exception>(() => RequireGzipEnd(Bytes));
    }

    /// <summary>EARLY: a problem document and no byte of an archive.</summary>
    public void RequireEarly(int status)
    {
        Assert.Null(Cut);
        Assert.Equal(status, (int)Status);
        Assert.Equal("application/problem+json", Response.Content.Headers.ContentType?.MediaType);
    }

    public static IReadOnlyDictionary<string, byte[]> ReadEntries(byte[] archive)
    {
        RequireGzipEnd(archive);
        var entries = new Dictionary<string, byte[]>();
        using var plain = new GZipStream(new MemoryStream(archive), CompressionMode.Decompress);
        using var tar = new TarReader(plain);
        while (tar.GetNextEntry() is { } entry)
        {
            using var content = new MemoryStream();
            entry.DataStream?.CopyTo(content);
            entries.Add(entry.Name, content.ToArray());
        }

        return entries;
    }

    public static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>The runtime's gzip reader takes a missing trailer for an end, so the trailer is compared here.</summary>
    private static void RequireGzipEnd(byte[] archive)
    {
        using var plain = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(archive), CompressionMode.Decompress))
        {
            gzip.CopyTo(plain);
        }

        var bytes = plain.GetBuffer().AsSpan(0, (int)plain.Length);
        Assert.True(archive.Length >= 18 && bytes.Length >= 1024, "too short for an archive");
        Assert.Equal(System.IO.Hashing.Crc32.HashToUInt32(bytes), BitConverter.ToUInt32(archive.AsSpan(archive.Length - 8)));
        Assert.Equal((uint)bytes.Length, BitConverter.ToUInt32(archive.AsSpan(archive.Length - 4)));
        Assert.Equal(-1, bytes[^1024..].IndexOfAnyExcept((byte)0));
    }
}
