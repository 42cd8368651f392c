using Gateway.Storage.Failures;

namespace Gateway.Responses;

/// <summary>The client has disconnected, or accepts no more data.</summary>
/// <param name="reason">Which of the two.</param>
/// <param name="detail">A more precise text than the reason's own.</param>
internal sealed class ClientException(FailureReason reason, string? detail = null)
    : IOException(detail ?? reason.Text)
{
    public FailureReason Reason { get; } = reason;
}
