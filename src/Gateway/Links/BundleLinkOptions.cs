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
    /// Secrets that sign links and everything that replicas share in Redis, and that encrypt <c>next</c> of a listing: each at least 32 random bytes in Base64,
    /// the same on every replica. Without keys Redis is not used, and a link or a <c>next</c> works only on the replica that made it, until that replica stops.
    /// </summary>
    /// <remarks>
    /// The first key signs, all are accepted. To rotate, put a new key first, and remove the old one when <see cref="Lifetime"/> has passed.
    /// </remarks>
    public IList<string> Keys { get; } = [];

    /// <summary>
    /// How long a link can be used, unless its maker requests less (<c>expiresIn</c>, in seconds). A download that has started continues.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Whether a link gives the rights of the client that made it to every client that has the link. With Redis it needs <see cref="Keys"/>.
    /// </summary>
    /// <remarks>
    /// A browser without credentials can use such a link. Headers of the client that uses it are not forwarded to storage. It expires no later than the
    /// token of the client that made it. Links that were made before this was set carry no rights. By default the sources' routes decide who may use a
    /// link, as for any bundle.
    /// </remarks>
    public bool CarryRights { get; set; }

    /// <summary>
    /// Bytes of all stored links: in Redis those of all replicas, otherwise those of this process. When it is full, new links are a 503; none is evicted.
    /// Links that fit into a URL are not stored.
    /// </summary>
    [Range(MinBytes, MaxMaxBytes)]
    public long MaxBytes { get; set; } = 64 << 20;

    /// <summary>How much of <see cref="MaxBytes"/> one client may use, at most <see cref="MaxBytes"/>. More is a 429.</summary>
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
