namespace Gateway.Storage;

/// <summary>What an object may decode to, where its source has objects decoded.</summary>
/// <param name="MaxBytes">Bytes at most; 0: only <see cref="UpstreamOptions.MaxExpansion"/> limits it.</param>
public sealed record DecodingLimit(long MaxBytes);
