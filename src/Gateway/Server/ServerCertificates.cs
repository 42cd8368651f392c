using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Server;

/// <summary>
/// Serves the certificate files of the <c>Kestrel</c> section and reads them again when they change, so that a renewed certificate needs
/// no restart: <c>Kestrel:Endpoints:{name}:Certificate</c>, <c>Kestrel:Endpoints:{name}:Sni:{host}:Certificate</c> and
/// <c>Kestrel:Certificates:Default</c>. All other keys of the section are read once, when the server starts.
/// </summary>
/// <remarks>
/// Kestrel can follow its own section, but then it watches every certificate file, and the start of that watcher can deadlock with a
/// change of the file in that moment. So Kestrel reads its section once, and each new connection gets its certificate from here.
/// </remarks>
internal sealed partial class ServerCertificates : IDisposable
{
    private const string Section = "Kestrel";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly IConfigurationSection _section;
    private readonly string _folder;
    private readonly ILogger _logger;
    private readonly Dictionary<(string, string?, string?), CertificateFile> _files = [];
    private readonly Dictionary<CertificateFile, string> _faults = [];
    private readonly ITimer _timer;

    public ServerCertificates(IConfiguration configuration, IHostEnvironment environment, TimeProvider time, ILogger<ServerCertificates> logger)
    {
        _section = configuration.GetSection(Section);
        _folder = environment.ContentRootPath;
        _logger = logger;
        _timer = time.CreateTimer(_ => Refresh(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Makes Kestrel read its section once and take certificates from here.</summary>
    public void Apply(KestrelServerOptions server)
    {
        var loader = server.Configure(_section, reloadOnChange: false);
        var otherwise = Find(_section.GetSection("Certificates:Default"));
        server.ConfigureHttpsDefaults(https => https.OnAuthenticate = otherwise is null ? null : (_, ssl) => Use(otherwise, ssl));
        foreach (var endpoint in _section.GetSection("Endpoints").GetChildren())
        {
            var certificate = endpoint.GetSection("Certificate");
            var own = certificate.Exists() ? Find(certificate) : otherwise;
            var hosts = endpoint.GetSection("Sni").GetChildren()
                .Select(host => (Name: host.Key, Certificate: host.GetSection("Certificate") is var other && other.Exists() ? Find(other) : own))
                .OrderByDescending(host => host.Name.Length)
                .ToArray();
            loader.Endpoint(endpoint.Key, configured =>
                configured.HttpsOptions.OnAuthenticate =
                    configured.ListenOptions.Protocols.HasFlag(HttpProtocols.Http3) ? null // QUIC has no such hook.
                    : hosts.Length > 0 ? (connection, ssl) => Use(Choose(hosts, GetName(connection)), ssl)
                    : own is null ? null
                    : (_, ssl) => Use(own, ssl));
        }

        if (_files.Count > 0)
        {
            Schedule(TimeSpan.Zero);
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>Selects among the keys of <c>Sni</c> as Kestrel does: the name itself, then the longest <c>*.suffix</c>, then <c>*</c>.</summary>
    private static CertificateFile? Choose((string Name, CertificateFile? Certificate)[] longestFirst, string name)
    {
        const StringComparison Comparison = StringComparison.OrdinalIgnoreCase;
        var exact = Array.FindIndex(longestFirst, host => host.Name.Equals(name, Comparison));
        var found = exact >= 0 ? exact
            : Array.FindIndex(longestFirst, host => host.Name is "*" || (host.Name.StartsWith("*.", StringComparison.Ordinal) && name.EndsWith(host.Name[1..], Comparison)));
        return found >= 0 ? longestFirst[found].Certificate : null;
    }

    private static string GetName(ConnectionContext connection) => connection.Features.Get<ITlsHandshakeFeature>()?.HostName ?? "";

    /// <summary>Replaces what Kestrel read at startup, which stays in use until the first file is read here.</summary>
    private static void Use(CertificateFile? certificate, SslServerAuthenticationOptions ssl) =>
        ssl.ServerCertificateContext = certificate?.Current ?? ssl.ServerCertificateContext;

    /// <summary>The file in a section, one object for all sections with the same file; null for a certificate from a store.</summary>
    private CertificateFile? Find(IConfigurationSection section)
    {
        if (section["Path"] is not { Length: > 0 } path)
        {
            return null;
        }

        path = Path.Combine(_folder, path);
        var (key, password) = (section["KeyPath"] is { } keyPath ? Path.Combine(_folder, keyPath) : null, section["Password"]);
        return _files.TryGetValue((path, key, password), out var known) ? known : _files[(path, key, password)] = new CertificateFile(path, key, password);
    }

    private void Refresh()
    {
        foreach (var file in _files.Values)
        {
            try
            {
                var isFirst = file.Current is null;
                if (file.Refresh() && !isFirst)
                {
                    LogRenewed(file.Path, file.Current!.TargetCertificate);
                }

                _faults.Remove(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                // Once for each error, not every second.
                if (!_faults.TryGetValue(file, out var fault) || fault != e.Message)
                {
                    _faults[file] = e.Message;
                    LogUnreadable(file.Path, e.Message);
                }
            }
        }

        Schedule(Interval);
    }

    /// <summary>One read at a time: the next one begins an interval after this one has ended.</summary>
    private void Schedule(TimeSpan due) => _timer.Change(due, Timeout.InfiniteTimeSpan);

    private void LogRenewed(string file, X509Certificate2 certificate)
    {
        var (thumbprint, notAfter) = (certificate.Thumbprint, new DateTimeOffset(certificate.NotAfter).ToUniversalTime());
        LogRenewed(file, thumbprint, notAfter);
    }

    [LoggerMessage(EventId = LogEvents.CertificateRenewed, EventName = nameof(LogEvents.CertificateRenewed), Level = LogLevel.Information, Message = "The certificate in {File} was renewed: {Thumbprint}, valid until {NotAfter:u}")]
    private partial void LogRenewed(string file, string thumbprint, DateTimeOffset notAfter);

    [LoggerMessage(EventId = LogEvents.CertificateNotRead, EventName = nameof(LogEvents.CertificateNotRead), Level = LogLevel.Warning, Message = "The certificate in {File} cannot be read; the previous one stays active: {Fault}")]
    private partial void LogUnreadable(string file, string fault);
}
