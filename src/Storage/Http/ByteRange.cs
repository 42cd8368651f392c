using System.Globalization;

namespace Gateway.Storage.Http;

/// <summary>Bytes of an object.</summary>
/// <param name="From">The first one.</param>
/// <param name="End">Behind the last one; null for the object's end.</param>
public readonly record struct ByteRange(long From, long? End = null)
{
    /// <summary>Whether <see cref="End"/> is that of the whole, as far as is known.</summary>
    public bool ReachesEnd { get; init; }

    /// <summary>The value of a Range header (RFC 9110, section 14.2).</summary>
    public string ToHeader() => string.Create(CultureInfo.InvariantCulture, $"bytes={From}-{End - 1}");
}
