namespace Gateway.Upstreams;

/// <summary>A response with the rest of an object, or with a part of it.</summary>
/// <param name="Attempt">Whose response it is.</param>
/// <param name="Body">Its body.</param>
/// <param name="Skip">Bytes of the body that precede what was asked for.</param>
/// <param name="End">Where in the object the body ends (exclusive), if that is before the end of what was asked for; otherwise null.</param>
internal sealed record PartResponse(SubRequest Attempt, Stream Body, long Skip, long? End);
