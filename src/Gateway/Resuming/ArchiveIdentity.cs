using Gateway.Archiving.Layout;

namespace Gateway.Resuming;

/// <summary>Which archive something is known of.</summary>
/// <param name="ETag">Names every byte of it; null when nothing does.</param>
/// <param name="Layout">Where every byte of it comes from; null when nothing was checked.</param>
/// <param name="NeedsHashes">Whether the hashes of its entries are part of it.</param>
internal sealed record ArchiveIdentity(string? ETag, ArchiveLayout? Layout, bool NeedsHashes);
