namespace Gateway.Upstreams;

/// <summary>A response with the remainder of an object, or with a part of it.</summary>
/// <param name="Attempt">The attempt it belongs to.</param>
/// <param name="Body">Its body.</param>
/// <param name="Skip">Bytes of the body that precede the requested range.</param>
/// <param name="End">The end of the body within the object (exclusive), if that is before the requested end; otherwise null.</param>
internal sealed record PartResponse(SubRequest Attempt, Stream Body, long Skip, long? End);
