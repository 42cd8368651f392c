using System.Net.Sockets;
using System.Security.Authentication;
using Gateway.Storage.Connections;
using Gateway.Storage.Failures;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Storage.Tests.Connections;

public class ConnectionFailuresTests
{
    private const string Secret = "10.1.2.3:9000";

    [Theory]
    [InlineData(HttpRequestError.ConfigurationLimitExceeded, nameof(FailureReason.HeadersTooLarge))]
    [InlineData(HttpRequestError.InvalidResponse, nameof(FailureReason.InvalidResponse))]
    [InlineData(HttpRequestError.VersionNegotiationError, nameof(FailureReason.VersionNotSupported))]
    [InlineData(HttpRequestError.SecureConnectionError, nameof(FailureReason.TlsFailed))]
    [InlineData(HttpRequestError.NameResolutionError, nameof(FailureReason.NameNotFound))]
    [InlineData(HttpRequestError.ConnectionError, nameof(FailureReason.Unreachable))]
    [InlineData(HttpRequestError.ProxyTunnelError, nameof(FailureReason.Unreachable))]
    [InlineData(HttpRequestError.ResponseEnded, nameof(FailureReason.ConnectionBroken))]
    [InlineData(HttpRequestError.HttpProtocolError, nameof(FailureReason.ConnectionBroken))]
    [InlineData(HttpRequestError.ExtendedConnectNotSupported, nameof(FailureReason.ConnectionBroken))]
    [InlineData(HttpRequestError.UserAuthenticationError, nameof(FailureReason.ConnectionBroken))]
    [InlineData(HttpRequestError.Unknown, nameof(FailureReason.ConnectionBroken))]
    public void Every_error_of_the_HTTP_client_has_a_reason(HttpRequestError error, string expected) =>
        Assert.Equal(expected, Explain(new HttpRequestException(error, Secret)).Reason.Name);

    [Theory]
    [InlineData(SocketError.ConnectionRefused, nameof(FailureReason.ConnectionRefused), "Storage refused the connection.")]
    [InlineData(SocketError.ConnectionReset, nameof(FailureReason.ConnectionRefused), "Storage reset the connection while it was being established.")]
    [InlineData(SocketError.TimedOut, nameof(FailureReason.ConnectTimeout), "Storage did not accept the connection in time.")]
    [InlineData(SocketError.TryAgain, nameof(FailureReason.Unreachable), "The host name of storage cannot be resolved at the moment.")]
    [InlineData(SocketError.HostNotFound, nameof(FailureReason.NameNotFound), "The host name of storage was not found.")]
    [InlineData(SocketError.NoData, nameof(FailureReason.NameNotFound), "The host name of storage was not found.")]
    [InlineData(SocketError.NoRecovery, nameof(FailureReason.NameNotFound), "The host name of storage was not found.")]
    [InlineData(SocketError.HostUnreachable, nameof(FailureReason.Unreachable), "Storage cannot be reached.")]
    [InlineData(SocketError.NetworkUnreachable, nameof(FailureReason.Unreachable), "Storage cannot be reached.")]
    public void A_failed_connection_is_explained_by_its_socket_error_however_deep_it_is(SocketError error, string reason, string message)
    {
        var failure = Explain(new HttpRequestException(HttpRequestError.ConnectionError, Secret, new IOException(Secret, new SocketException((int)error))));

        Assert.Equal((reason, message), (failure.Reason.Name, failure.Message));
    }

    [Fact]
    public void Timeouts_and_an_open_circuit_are_recognized()
    {
        Assert.Equal(FailureReason.ResponseTimeout, Explain(new TimeoutRejectedException()).Reason);
        Assert.Equal(FailureReason.ConnectTimeout, Explain(new TaskCanceledException(Secret, new TimeoutException())).Reason);
        Assert.Equal(FailureReason.ConnectionBroken, Explain(new OperationCanceledException()).Reason);

        var open = Explain(new BrokenCircuitException(Secret, TimeSpan.FromSeconds(3)));

        Assert.Equal((FailureReason.CircuitOpen, TimeSpan.FromSeconds(3)), (open.Reason, open.RetryAfter));
    }

    [Fact]
    public void A_known_failure_stays_as_it_is()
    {
        var known = new StorageException(FailureReason.WrongRange);

        Assert.Same(known, ConnectionFailures.Explain(known));
    }

    [Theory]
    [InlineData("RemoteCertificateNameMismatch", "it is for another host name")]
    [InlineData("RemoteCertificateChainErrors: NotTimeValid", "it has expired or is not valid yet, its chain is not valid")]
    [InlineData("PartialChain", "its issuer is not known")]
    [InlineData("UntrustedRoot", "its issuer is not trusted")]
    [InlineData("Revoked", "it was revoked")]
    [InlineData("NotSignatureValid", "its signature is not valid")]
    [InlineData("RemoteCertificateNotAvailable", "it is missing")]
    public void A_certificate_that_is_not_trusted_is_explained(string status, string expected)
    {
        var failure = Explain(new HttpRequestException(HttpRequestError.SecureConnectionError, Secret, new AuthenticationException($"{Secret}: {status}")));

        Assert.Equal((FailureReason.CertificateNotTrusted, $"The certificate of storage is not trusted: {expected}."), (failure.Reason, failure.Message));
    }

    [Theory]
    [InlineData("Received an invalid status line: 'HTTP/9.9 header'.", "Storage sent a status line that is not valid (RFC 9112, section 4).")]
    [InlineData("Received an invalid folded header: 'x'.", "Storage sent a folded header line that is not valid (RFC 9112, section 5.2).")]
    [InlineData("Received an invalid header line: 'status'.", "Storage sent a header line that is not valid (RFC 9112, section 5).")]
    [InlineData("Something else: 'status header'.", "Storage sent a response that is not valid HTTP.")]
    public void The_broken_rule_of_HTTP_is_named_and_what_storage_sent_is_only_logged(string message, string expected)
    {
        var failure = ConnectionFailures.Explain(new HttpRequestException(HttpRequestError.InvalidResponse, message));

        Assert.Equal((FailureReason.InvalidResponse, expected, message), (failure.Reason, failure.Message, failure.LogDetail));
    }

    [Theory]
    [InlineData(HttpRequestError.Unknown, true)]
    [InlineData(HttpRequestError.ResponseEnded, true)]
    [InlineData(HttpRequestError.HttpProtocolError, true)]
    [InlineData(HttpRequestError.ConnectionError, false)]
    [InlineData(HttpRequestError.InvalidResponse, false)]
    [InlineData(HttpRequestError.SecureConnectionError, false)]
    public void A_connection_may_have_been_dead_if_no_byte_of_a_response_came(HttpRequestError error, bool expected) =>
        Assert.Equal(expected, ConnectionFailures.MayBeDeadConnection(new HttpRequestException(error, null, new IOException())));

    [Fact]
    public void A_timeout_may_be_that_of_a_dead_connection_and_no_failure_is_none()
    {
        Assert.True(ConnectionFailures.MayBeDeadConnection(new TimeoutRejectedException()));
        Assert.False(ConnectionFailures.MayBeDeadConnection(null));
        Assert.False(ConnectionFailures.MayBeDeadConnection(new IOException()));
    }

    [Theory]
    [InlineData(0L, true)]
    [InlineData(7L, true)]
    [InlineData(2L, false)]
    [InlineData(8L, false)]
    public void A_request_that_the_server_has_not_processed_is_sent_again_at_once(long code, bool expected)
    {
        var exception = new HttpRequestException(HttpRequestError.HttpProtocolError, null, new HttpProtocolException(code, "x", null));

        Assert.Equal(expected, ConnectionFailures.IsUnprocessed(exception));
        Assert.Equal(!expected, ConnectionFailures.MayBeDeadConnection(exception));
    }

    [Fact]
    public void A_request_that_was_never_sent_has_no_cause()
    {
        Assert.True(ConnectionFailures.IsUnprocessed(new HttpRequestException(HttpRequestError.Unknown)));
        Assert.False(ConnectionFailures.IsUnprocessed(new HttpRequestException(HttpRequestError.Unknown, null, new IOException())));
        Assert.False(ConnectionFailures.IsUnprocessed(null));
    }

    /// <summary>No text may contain what the exception says of storage.</summary>
    private static StorageException Explain(Exception exception)
    {
        var failure = ConnectionFailures.Explain(exception);
        Assert.DoesNotContain(Secret, failure.Message, StringComparison.Ordinal);
        return failure;
    }
}
