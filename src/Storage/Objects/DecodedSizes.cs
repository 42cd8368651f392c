using Gateway.Storage.Sources;
using Microsoft.Extensions.Caching.Memory;

namespace Gateway.Storage.Objects;

/// <summary>How many bytes stored objects decode to, by version. A forgotten size is determined again by reading the object.</summary>
/// <remarks>At most some 4 MiB, least recently used entries are removed first. Thread-safe.</remarks>
internal sealed class DecodedSizes : IDisposable
{
    private const long MaxBytes = 4 << 20;
    private const int BytesPerEntry = 400;

    private readonly MemoryCache _sizes = new(new MemoryCacheOptions { SizeLimit = MaxBytes });

    /// <summary>The size of a version; null if unknown.</summary>
    public long? Find(ObjectRequest request, ObjectHead stored) => _sizes.TryGetValue<long>(GetKey(request, stored), out var size) ? size : null;

    /// <summary>Stores the size of a version.</summary>
    public void Add(ObjectRequest request, ObjectHead stored, long size)
    {
        var key = GetKey(request, stored);
        _sizes.Set(key, size, new MemoryCacheEntryOptions { Size = BytesPerEntry + (sizeof(char) * (long)(key.Name.Length + key.ETag.Length + key.Headers.Length)) });
    }

    /// <summary>Removes a size that was wrong.</summary>
    public void Remove(ObjectRequest request, ObjectHead stored) => _sizes.Remove(GetKey(request, stored));

    public void Dispose() => _sizes.Dispose();

    // For another tenant, storage may have another object with the same name and validator.
    private static Key GetKey(ObjectRequest request, ObjectHead stored) => new(
        request.Source.Name,
        request.Source.Route.Config.ClusterId ?? "",
        request.Key,
        stored.ETag!,
        stored.Size!.Value,
        stored.Encoding!,
        string.Join('\n', request.Source.Headers.Select(name => request.Client.Headers[name].ToString())));

    private sealed record Key(string Source, string Cluster, string Name, string ETag, long Size, string Encoding, string Headers);
}
