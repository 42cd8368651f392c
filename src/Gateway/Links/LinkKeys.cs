using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace Gateway.Links;

/// <summary>
/// The secrets of <see cref="BundleLinkOptions.Keys"/>. Without any it is a random one: then only this process accepts what it has given to a client.
/// </summary>
internal sealed class LinkKeys(IOptions<BundleLinkOptions> options)
{
    /// <summary>The first one is used for what is new, all are accepted.</summary>
    public IReadOnlyList<byte[]> All { get; } =
        options.Value.Secrets() is { Length: > 0 } secrets ? secrets : [RandomNumberGenerator.GetBytes(BundleLinkOptions.MinKeyBytes)];
}
