using System.ComponentModel.DataAnnotations;

namespace Gateway.Links;

/// <summary>Links to bundles. Section <c>Bundle:Links</c>.</summary>
internal sealed class BundleLinkOptions : IValidatableObject
{
    /// <summary>Minimum bytes of a key: the length of the signature.</summary>
    public const int MinKeyBytes = 32;

    private const long MinBytes = 64 << 10;
    private const long MaxMaxBytes = 1L << 40;
    private const int EntryBytes = 512;

    /// <summary>
    /// Secrets that sign links and everything that replicas share in Redis, each at least 32 random bytes in Base64, the same on every
    /// replica. The first one signs, all are accepted. To rotate, insert a new key first in the list, and remove the old one once
    /// <see cref="Lifetime"/> has passed. Default: none. Then Redis is not used, and a link works only on the replica that created it, until that replica stops.
    /// </summary>
    public IList<string> Keys { get; } = [];

    /// <summary>How long a link can be used, unless its creator requests less (<c>expiresIn</c>, seconds). A download that has begun
    /// continues. Default 1 day, range 1 s–30 days.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Whether a link gives the rights of the client that created it to every client that has it, so that a browser without credentials can
    /// use it. Such a link expires with its creator's token, if that is sooner. Links that were created before this was set give none.
    /// With Redis it requires <see cref="Keys"/>. Default false: the sources' routes decide who may use a link, as for any bundle.
    /// </summary>
    public bool CarryRights { get; set; }

    /// <summary>
    /// Maximum bytes of all links that are too long for a URL: of all replicas with Redis, of this
    /// process without. If no space is left, no more are created (503); none is evicted. Default 64 MiB, range 64 KiB–1 TiB.
    /// </summary>
    [Range(MinBytes, MaxMaxBytes)]
    public long MaxBytes { get; set; } = 64 << 20;

    /// <summary>
    /// The part of <see cref="MaxBytes"/> that one client may use. A client over its share gets 429. Default 16 MiB, range 64 KiB to
    /// <see cref="MaxBytes"/>.
    /// </summary>
    [Range(MinBytes, MaxMaxBytes)]
    public long MaxBytesPerClient { get; set; } = 16 << 20;

    /// <summary>The space that a link of this length takes, with its name and the store's overhead.</summary>
    public static long RoomFor(int length) => length + EntryBytes;

    /// <summary>The keys as bytes.</summary>
    public byte[][] Secrets() => [.. Keys.Select(Convert.FromBase64String)];

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        for (var i = 0; i < Keys.Count; i++)
        {
            // The value itself is a secret.
            if (!Convert.TryFromBase64String(Keys[i], new byte[Keys[i].Length], out var length) || length < MinKeyBytes)
            {
                yield return new ValidationResult($"{nameof(Keys)}:{i} is not Base64 of at least {MinKeyBytes} bytes.");
            }
        }

        if (MaxBytesPerClient > MaxBytes)
        {
            yield return new ValidationResult($"{nameof(MaxBytesPerClient)} is more than {nameof(MaxBytes)}.");
        }
    }
}
