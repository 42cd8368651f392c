using System.ComponentModel.DataAnnotations;

namespace Gateway.Links;

/// <summary>Links to bundles. Section <c>Bundle:Links</c>.</summary>
internal sealed class BundleLinkOptions : IValidatableObject
{
    /// <summary>Bytes of a key at least: as many as the signature has.</summary>
    public const int LeastKeyBytes = 32;

    /// <summary>
    /// Secrets that sign links, each at least 32 random bytes in Base64, the same on every replica. The first one signs, all are
    /// accepted, and what replicas tell each other through Redis is signed with them, too. To rotate, put a new one in front and take the old one away when <see cref="Lifetime"/> has passed. Default: none; then
    /// links are kept in Redis, or signed with a key that the process forgets when it ends.
    /// </summary>
    public IList<string> Keys { get; } = [];

    /// <summary>How long a link can be used, unless whoever makes it asks for less (<c>expiresIn</c>, seconds). A download that has begun goes
    /// on. Default 1 day, range 1 s–30 days.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Whether a link gives the rights of whoever made it to whoever has it, so that a browser without credentials can use it. Default
    /// false: who uses a link must be let in by the sources' routes, as for any bundle.
    /// </summary>
    public bool CarryRights { get; set; }

    /// <summary>The keys as bytes.</summary>
    public byte[][] Secrets() => [.. Keys.Select(Convert.FromBase64String)];

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        for (var i = 0; i < Keys.Count; i++)
        {
            // The value itself is a secret.
            if (!Convert.TryFromBase64String(Keys[i], new byte[Keys[i].Length], out var length) || length < LeastKeyBytes)
            {
                yield return new ValidationResult($"{nameof(Keys)}:{i} is not Base64 of at least {LeastKeyBytes} bytes.");
            }
        }
    }
}
