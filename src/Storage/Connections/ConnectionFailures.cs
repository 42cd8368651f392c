using System.Net.Sockets;
using System.Security.Authentication;
using Gateway.Storage.Failures;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Gateway.Storage.Connections;

/// <summary>Maps exceptions of the HTTP client to failures. Texts contain neither hosts nor addresses.</summary>
internal static class ConnectionFailures
{
    // RFC 9113, section 7.
    private const long NoError = 0;
    private const long RefusedStream = 7;

    // Names of System.Security.Cryptography.X509Certificates.X509ChainStatusFlags and System.Net.Security.SslPolicyErrors, as they
    // appear in the message of an AuthenticationException, their only source.
    private static readonly (string Name, string Text)[] TrustErrors =
    [
        ("RemoteCertificateNameMismatch", "it is for another host name"),
        ("NotTimeValid", "it has expired or is not valid yet"),
        ("Revoked", "it was revoked"),
        ("UntrustedRoot", "its issuer is not trusted"),
        ("PartialChain", "its issuer is not known"),
        ("RemoteCertificateNotAvailable", "it is missing"),
        ("RemoteCertificateChainErrors", "its chain is not valid"),
        ("NotSignatureValid", "its signature is not valid"),
    ];

    private static readonly (string Part, string? Text)[] HttpRules =
    [
        ("status", "Storage sent a status line that is not valid (RFC 9112, section 4)."),
        ("folded", "Storage sent a folded header line that is not valid (RFC 9112, section 5.2)."),
        ("header", "Storage sent a header line that is not valid (RFC 9112, section 5)."),
    ];

    /// <summary>Whether an exception may come from a connection that was already dead: no byte of a response was received.</summary>
    public static bool MayBeDeadConnection(Exception? exception) => !IsUnprocessed(exception) && exception
        is TimeoutRejectedException
        or HttpRequestException { HttpRequestError: HttpRequestError.Unknown or HttpRequestError.ResponseEnded or HttpRequestError.HttpProtocolError };

    /// <summary>Whether the server declared that it has not processed the request, so that it can be sent again at once (RFC 9113, section
    /// 8.7): a graceful GOAWAY, or REFUSED_STREAM. If the connection began to close before the request was sent on it, the handler
    /// reports no cause.</summary>
    public static bool IsUnprocessed(Exception? exception) => exception
        is HttpRequestException { InnerException: HttpProtocolException { ErrorCode: NoError or RefusedStream } }
        or HttpRequestException { InnerException: null, HttpRequestError: HttpRequestError.Unknown };

    public static StorageException Explain(Exception exception) => exception switch
    {
        StorageException known => known,
        TimeoutRejectedException => new(FailureReason.ResponseTimeout, inner: exception),
        BrokenCircuitException broken => new(FailureReason.CircuitOpen, retryAfter: broken.RetryAfter, inner: exception),
        OperationCanceledException { InnerException: TimeoutException } => new(FailureReason.ConnectTimeout, inner: exception),
        HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => new(FailureReason.HeadersTooLarge, inner: exception),
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } => OfInvalidResponse(exception),
        HttpRequestException { HttpRequestError: HttpRequestError.VersionNegotiationError } => new(FailureReason.VersionNotSupported, inner: exception),
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => OfTls(exception),
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.ProxyTunnelError } request =>
            OfConnect(request),
        _ => new(FailureReason.ConnectionBroken, inner: exception),
    };

    /// <summary>Names the rule of HTTP that a response has broken. Only the exception's message states it. The message also quotes what storage
    /// sent, so it is only logged, escaped, and never sent to a client.</summary>
    private static StorageException OfInvalidResponse(Exception exception)
    {
        var beforeQuote = exception.Message.Split('\'', 2)[0];
        var rule = HttpRules.FirstOrDefault(rule => beforeQuote.Contains(rule.Part, StringComparison.OrdinalIgnoreCase));
        return new StorageException(FailureReason.InvalidResponse, rule.Text) { LogDetail = exception.Message };
    }

    private static StorageException OfTls(Exception exception)
    {
        var message = Find<AuthenticationException>(exception)?.Message ?? "";
        var errors = TrustErrors.Where(error => message.Contains(error.Name, StringComparison.Ordinal)).Select(error => error.Text).ToArray();
        return errors.Length == 0
            ? new(FailureReason.TlsFailed, inner: exception)
            : new(FailureReason.CertificateNotTrusted, $"The certificate of storage is not trusted: {string.Join(", ", errors)}.", inner: exception);
    }

    private static StorageException OfConnect(HttpRequestException exception) => Find<SocketException>(exception)?.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => new(FailureReason.ConnectionRefused, inner: exception),
        SocketError.TimedOut => new(FailureReason.ConnectTimeout, inner: exception),
        SocketError.TryAgain => new(FailureReason.Unreachable, "The host name of storage cannot be resolved at the moment.", inner: exception),
        SocketError.HostNotFound or SocketError.NoData or SocketError.NoRecovery => new(FailureReason.NameNotFound, inner: exception),
        SocketError.ConnectionReset => new(FailureReason.ConnectionRefused, "Storage reset the connection while it was being established.", inner: exception),
        _ when exception.HttpRequestError == HttpRequestError.NameResolutionError => new(FailureReason.NameNotFound, inner: exception),
        _ => new(FailureReason.Unreachable, inner: exception),
    };

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        while (exception is not null and not T)
        {
            exception = exception.InnerException;
        }

        return exception as T;
    }
}
