using Gateway.Storage.Failures;

namespace Gateway.Responses;

/// <summary>The client left, or takes nothing any more.</summary>
/// <param name="reason">Which of both.</param>
/// <param name="detail">More than the reason's own text says.</param>
internal sealed class ClientException(FailureReason reason, string? detail = null)
    : IOException(detail ?? reason.Text)
{
    public FailureReason Reason { get; } = reason;
}
