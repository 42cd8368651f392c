using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using Xunit;

namespace Testing;

/// <summary>What a client received: a status, and the bytes up to the end or the cut.</summary>
internal sealed record Download(HttpResponseMessage? Head, byte[] Bytes, Exception? Cut)
{
    /// <summary>The response headers; null if a cut at the very beginning overtook them.</summary>
    public HttpResponseMessage Response => Head ?? throw Cut!;

    public HttpStatusCode Status => Response.StatusCode;

    public bool IsCut => Cut is not null;

    public static async Task<Download> GetAsync(HttpClient client, string url, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        return await SendAsync(client, request, cancellationToken);
    }

    /// <summary>SHA-256 of an archive that is too large to hold in memory.</summary>
    public static async Task<string> HashAsync(HttpClient client, string url)
    {
        await using var body = await client.GetStreamAsync(url);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(body));
    }

    /// <summary>SHA-256 of the next bytes.</summary>
    public static async Task<string> HashAsync(Stream stream, long count)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[256 * 1024];
        for (var read = 0; count > 0; count -= read)
        {
            read = (int)Math.Min(buffer.Length, count);
            await stream.ReadExactlyAsync(buffer.AsMemory(0, read));
            hash.AppendData(buffer, 0, read);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public static async Task<Download> SendAsync(HttpClient client, HttpRequestMessage request, CancellationToken cancellationToken = default)
    {
        (request.Version, request.VersionPolicy) = (client.DefaultRequestVersion, client.DefaultVersionPolicy);
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

    /// <summary>WHOLE: ended correctly, and every entry is as expected.</summary>
    public IReadOnlyDictionary<string, byte[]> RequireWhole()
    {
        Assert.Null(Cut);
        Assert.Equal(HttpStatusCode.OK, Status);
        return ReadEntries(Bytes);
    }

    /// <summary>CUT: the transfer itself failed, and what was received does not end like an archive.</summary>
    public void RequireCut()
    {
        Assert.NotNull(Cut);
        Assert.True(Head is null or { StatusCode: HttpStatusCode.OK });
        Assert.ThrowsAny<Exception>(() => ReadEntries(Bytes));
    }

    /// <summary>The same; and every byte that was received belongs to the archive that was expected.</summary>
    public void RequireCut(byte[] whole)
    {
        RequireCut();
        Assert.True(Bytes.Length < whole.Length && whole.AsSpan().StartsWith(Bytes), "the bytes before the cut are not the beginning of the archive");
    }

    /// <summary>EARLY: a problem document and no byte of an archive.</summary>
    public void RequireEarly(int status)
    {
        Assert.Null(Cut);
        Assert.Equal(status, (int)Status);
        Assert.Equal("application/problem+json", Response.Content.Headers.ContentType?.MediaType);
    }

    /// <summary>The entries of a complete archive of any format; fails unless it ends as its format requires.</summary>
    public static IReadOnlyDictionary<string, byte[]> ReadEntries(byte[] archive) => archive switch
    {
        [0x1F, 0x8B, ..] => ReadTar(RequireGzipEnd(archive)),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => ReadTar(Unzstd(archive)),
        [(byte)'P', (byte)'K', ..] => ReadZip(archive),
        _ => ReadTar(archive),
    };

    public static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static Dictionary<string, byte[]> ReadTar(byte[] archive)
    {
        Assert.True(archive.Length >= 1024 && archive.AsSpan()[^1024..].IndexOfAnyExcept((byte)0) < 0, "a tar without its end");
        var entries = new Dictionary<string, byte[]>();
        using var tar = new TarReader(new MemoryStream(archive));
        while (tar.GetNextEntry() is { } entry)
        {
            entries.Add(entry.Name, ReadAll(entry.DataStream ?? Stream.Null));
        }

        return entries;
    }

    private static Dictionary<string, byte[]> ReadZip(byte[] archive)
    {
        using var zip = new ZipArchive(new MemoryStream(archive));
        return zip.Entries.ToDictionary(entry => entry.FullName, entry =>
        {
            var body = ReadAll(entry.Open());
            Assert.Equal((entry.Length, entry.Crc32), (body.Length, System.IO.Hashing.Crc32.HashToUInt32(body)));
            return body;
        });
    }

    private static byte[] Unzstd(byte[] archive) => ReadAll(new ZstdSharp.DecompressionStream(new MemoryStream(archive), checkEndOfStream: true));

    private static byte[] ReadAll(Stream stream)
    {
        using var bytes = new MemoryStream();
        using (stream)
        {
            stream.CopyTo(bytes);
        }

        return bytes.ToArray();
    }

    /// <summary>The runtime's gzip reader accepts a missing trailer, so the trailer is verified here.</summary>
    private static byte[] RequireGzipEnd(byte[] archive)
    {
        var plain = ReadAll(new GZipStream(new MemoryStream(archive), CompressionMode.Decompress));
        Assert.True(archive.Length >= 18, "too short for a gzip member");
        Assert.Equal(System.IO.Hashing.Crc32.HashToUInt32(plain), BitConverter.ToUInt32(archive.AsSpan(archive.Length - 8)));
        Assert.Equal((uint)plain.Length, BitConverter.ToUInt32(archive.AsSpan(archive.Length - 4)));
        return plain;
    }
}
