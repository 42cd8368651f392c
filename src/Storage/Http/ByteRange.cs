using System.Globalization;

namespace Gateway.Storage.Http;

/// <summary>A range of an object's bytes.</summary>
/// <param name="From">Its first byte.</param>
/// <param name="End">The offset after its last byte; null for the object's end.</param>
public readonly record struct ByteRange(long From, long? End = null)
{
    /// <summary>Whether <see cref="End"/> is that of the whole object, as far as is known.</summary>
    public bool ReachesEnd { get; init; }

    /// <summary>The value of a Range header (RFC 9110, section 14.2).</summary>
    public string ToHeader() => string.Create(CultureInfo.InvariantCulture, $"bytes={From}-{End - 1}");
}
