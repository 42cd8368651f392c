using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace Testing;

/// <summary>Azurite, Microsoft's emulator of Azure Blob Storage, on loopback. It verifies shared keys and SAS. It keeps everything in memory.</summary>
internal sealed class AzuriteServer : IAsyncDisposable
{
    public const string Account = "devstoreaccount1";

    /// <summary>Not a secret: every emulator has this key.</summary>
    public const string AccountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private const int Attempts = 5;
    private const int UploadsAtOnce = 16;
    private const string Version = "2023-11-03";

    private readonly Process _process;
    private readonly HttpClient _client = Protocol.Http1.CreateClient(new Uri("http://127.0.0.1/"));

    private AzuriteServer(Process process, string scheme, int port)
    {
        _process = process;
        Address = $"{scheme}://127.0.0.1:{port}/{Account}/";
    }

    /// <summary>The address of the account; a container follows.</summary>
    public string Address { get; }

    /// <summary>Starts it, or skips the test if it is not installed.</summary>
    /// <param name="acceptsTokens">Whether it also accepts bearer tokens, whose content it verifies but not their signature. It then speaks TLS.</param>
    public static async Task<AzuriteServer> StartAsync(bool acceptsTokens = false)
    {
        var program = Tool.RequireNodeProgram("azurite-blob");
        for (var attempt = 1; ; attempt++)
        {
            var port = ReservedPort.Next();
            string[] arguments = ["--blobHost", "127.0.0.1", "--blobPort", port.ToString(CultureInfo.InvariantCulture), "--inMemoryPersistence", "--silent", "--disableTelemetry", .. acceptsTokens ? ["--oauth", "basic", "--cert", TestCertificate.PemFile, "--key", TestCertificate.PemFile] : Array.Empty<string>()];
            var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            if (await Tool.AnswersAsync(process, port))
            {
                return new AzuriteServer(process, acceptsTokens ? "https" : "http", port);
            }

            process.Dispose();
            Assert.True(attempt < Attempts, $"Azurite does not start: {await output}{await error}");
        }
    }

    public async Task CreateContainerAsync(string container)
    {
        using var response = await SendAsync(HttpMethod.Put, $"{container}?restype=container", body: null);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    /// <summary>Uploads a blob. Headers can be <c>x-ms-access-tier</c>, <c>x-ms-blob-content-encoding</c>, <c>x-ms-meta-…</c>.</summary>
    public async Task PutAsync(string container, string name, byte[] bytes, params (string Name, string Value)[] headers)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var response = await SendAsync(HttpMethod.Put, PathOf(container, name), bytes, [("x-ms-blob-type", "BlockBlob"), .. headers]);
                Assert.True(response.StatusCode == HttpStatusCode.Created, $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
                return;
            }
            catch (HttpRequestException) when (attempt < Attempts)
            {
                // When it is busy, it resets connections. The same blob can be uploaded again.
            }
        }
    }

    /// <summary>Uploads many blobs at once.</summary>
    public Task PutAsync(string container, IEnumerable<(string Name, byte[] Bytes)> blobs) =>
        Parallel.ForEachAsync(blobs, new ParallelOptions { MaxDegreeOfParallelism = UploadsAtOnce }, async (blob, _) => await PutAsync(container, blob.Name, blob.Bytes));

    public async Task DeleteAsync(string container, string name)
    {
        using var response = await SendAsync(HttpMethod.Delete, PathOf(container, name), body: null);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    /// <summary>The path of a blob below <see cref="Address"/>, as on the wire.</summary>
    public static string PathOf(string container, string name) => $"{container}/{SignatureV4.EscapePath(name)}";

    /// <summary>Sends a request below <see cref="Address"/>, signed with the account's key or another one.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, byte[]? body, (string Name, string Value)[]? headers = null, string key = AccountKey)
    {
        using var request = new HttpRequestMessage(method, Address + path);
        request.Content = body is null ? null : new ByteArrayContent(body);
        foreach (var (name, value) in headers ?? [])
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        // Node closes idle connections after 5 s, and a PUT is not sent again.
        request.Headers.ConnectionClose = true;
        request.Headers.Add("x-ms-date", TimeProvider.System.GetUtcNow().ToString("R", CultureInfo.InvariantCulture));
        request.Headers.Add("x-ms-version", Version);
        request.Headers.TryAddWithoutValidation("Authorization", $"SharedKey {Account}:{Sign(request, body?.Length ?? 0, key)}");
        return await _client.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>"Authorize with Shared Key": twelve lines that begin with the method, the headers of Microsoft, and the resource.</summary>
    private static string Sign(HttpRequestMessage request, int length, string key)
    {
        string Value(string name) => request.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : "";
        string[] lines =
        [
            request.Method.Method, "", "", length > 0 ? length.ToString(CultureInfo.InvariantCulture) : "", "", "", "",
            Value("If-Modified-Since"), Value("If-Match"), Value("If-None-Match"), Value("If-Unmodified-Since"), Value("Range"),
        ];
        var headers = request.Headers.NonValidated.Select(header => (Name: header.Key.ToLowerInvariant(), Value: header.Value.ToString())).Where(header => header.Name.StartsWith("x-ms-", StringComparison.Ordinal))
            .OrderBy(header => header.Name, StringComparer.Ordinal).Select(header => $"{header.Name}:{header.Value}\n");
        var parameters = request.RequestUri!.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(parameter => parameter.Split('=', 2))
            .Select(pair => $"\n{pair[0].ToLowerInvariant()}:{Uri.UnescapeDataString(pair[1])}").Order(StringComparer.Ordinal);
        var text = $"{string.Join('\n', lines)}\n{string.Concat(headers)}/{Account}{request.RequestUri.AbsolutePath}{string.Concat(parameters)}";
        return Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(key), Encoding.UTF8.GetBytes(text)));
    }
}
