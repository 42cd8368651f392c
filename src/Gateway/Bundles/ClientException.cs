using Gateway.Telemetry;

namespace Gateway.Bundles;

/// <summary>The client left, or takes nothing any more.</summary>
internal sealed class ClientException(Stage stage, string? reason = null)
    : IOException(reason ?? (stage == Stage.Stall ? "the client takes nothing" : "the client has gone"))
{
    public Stage Stage { get; } = stage;
}
