using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Gateway.Links;

namespace Gateway.Doors;

/// <summary>
/// Encrypts the token with which a store continues a listing. A client must not see it, because it may contain the store's own key with a prefix that
/// the operator's address hides, and must not choose it. It is valid for one folder.
/// </summary>
/// <remarks>
/// AES-256-GCM (NIST SP 800-38D). The nonce is a MAC of folder and token, so it repeats only with the same content, and a page always has the same URL.
/// </remarks>
internal sealed class PageTokens(LinkKeys keys)
{
    /// <summary>The longest token that a client can use, in characters.</summary>
    public const int MaxLength = 6 * 1024;

    private const int KeyLength = 32;

    private static readonly int NonceLength = AesGcm.NonceByteSizes.MaxSize;
    private static readonly int TagLength = AesGcm.TagByteSizes.MaxSize;

    private readonly (byte[] Cipher, byte[] Nonce)[] _keys = [.. keys.All.Select(secret => (Derive(secret, "cipher"), Derive(secret, "nonce")))];

    /// <summary>Encrypts a token of the store.</summary>
    /// <param name="token">What the store returned.</param>
    /// <param name="folder">The folder that it belongs to.</param>
    public string Seal(string token, string folder)
    {
        var (content, context) = (Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(folder));
        var bytes = new byte[NonceLength + content.Length + TagLength];
        var nonce = bytes.AsSpan(..NonceLength);
        GetNonce(_keys[0].Nonce, context, content).CopyTo(nonce);
        using var cipher = new AesGcm(_keys[0].Cipher, TagLength);
        cipher.Encrypt(nonce, content, bytes.AsSpan(NonceLength..^TagLength), bytes.AsSpan(^TagLength..), context);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Decrypts what a client sent.</summary>
    /// <returns>Null if it was not made for this folder with one of the keys.</returns>
    public string? Open(string text, string folder)
    {
        if (text.Length > MaxLength || !Base64Url.IsValid(text, out var length) || length < NonceLength + TagLength)
        {
            return null;
        }

        var bytes = Base64Url.DecodeFromChars(text);
        var (context, content) = (Encoding.UTF8.GetBytes(folder), new byte[length - NonceLength - TagLength]);
        foreach (var key in _keys)
        {
            try
            {
                using var cipher = new AesGcm(key.Cipher, TagLength);
                cipher.Decrypt(bytes.AsSpan(..NonceLength), bytes.AsSpan(NonceLength..^TagLength), bytes.AsSpan(^TagLength..), content, context);
                return Encoding.UTF8.GetString(content);
            }
            catch (AuthenticationTagMismatchException)
            {
                // Another key, or not a token.
            }
        }

        return null;
    }

    private static ReadOnlySpan<byte> GetNonce(byte[] key, byte[] context, byte[] content)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        mac.AppendData(context);
        mac.AppendData([0]);
        mac.AppendData(content);
        return mac.GetHashAndReset().AsSpan(..NonceLength);
    }

    private static byte[] Derive(byte[] secret, string purpose) =>
        HKDF.Expand(HashAlgorithmName.SHA256, secret, KeyLength, Encoding.UTF8.GetBytes("gateway listing page 1 " + purpose));
}
