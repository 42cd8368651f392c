using System.Security.Cryptography;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;

namespace Gateway.Storage.Stores.Dialects;

/// <summary>What differs between the stores: how a request is authorized, listed, and what its headers are called.</summary>
/// <remarks>Any number of threads.</remarks>
internal abstract class StoreDialect
{
    private const int CustomerKeyBytes = 32;

    private long _signatures;

    /// <summary>Requests that were signed or got a token.</summary>
    public long Signatures => Volatile.Read(ref _signatures);

    /// <summary>The time since the credential was last renewed; null if it is fixed, or there is none.</summary>
    public virtual TimeSpan? CredentialAge => null;

    /// <summary>Counts a request that was signed or got a token.</summary>
    public void CountSignature() => Interlocked.Increment(ref _signatures);

    /// <summary>Adds what identifies the gateway, to a request that carries none of the client's own credentials. It may replace the request's URL.</summary>
    /// <param name="message">Has its final path and query.</param>
    /// <param name="cancellationToken">Ends the wait for a credential.</param>
    /// <exception cref="StorageException">There is no credential.</exception>
    public abstract ValueTask AuthorizeAsync(HttpRequestMessage message, CancellationToken cancellationToken);

    /// <summary>Discards the credential that storage has rejected, so that the next attempt obtains a new one.</summary>
    public abstract void ForgetCredential();

    /// <summary>Adds what makes storage report or serve more than without it: checksums, the customer's key.</summary>
    /// <param name="message">The request.</param>
    /// <param name="kind">What it is for.</param>
    public virtual void Prepare(HttpRequestMessage message, StoreRequestKind kind)
    {
    }

    /// <summary>The query that requests one version of an object.</summary>
    public abstract string GetVersionQuery(string version);

    /// <summary>The query that requests one page of a listing.</summary>
    /// <param name="prefix">What every key begins with.</param>
    /// <param name="request">The page.</param>
    public abstract string GetListingQuery(string prefix, ListingRequest request);

    /// <summary>Reads one page of a listing.</summary>
    /// <exception cref="StorageException">It cannot be read.</exception>
    public abstract ListingPage ReadListing(ReadOnlyMemory<byte> body, string prefix);

    /// <summary>The class of an object that must be restored before it can be read, from the headers of a response to HEAD; null: it can be read.</summary>
    public virtual string? FindArchiveClass(HttpResponseMessage response) => null;

    /// <summary>The value of a response header.</summary>
    protected static string? GetHeader(HttpResponseMessage response, string name) => response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;

    /// <summary>Adds a customer's key, as Azure and Google name the headers.</summary>
    /// <param name="message">The request for an object.</param>
    /// <param name="file">The key; null: objects are not encrypted with one.</param>
    /// <param name="prefix">What the names of the headers begin with.</param>
    /// <exception cref="StorageException">The key cannot be read.</exception>
    protected static void AddCustomerKey(HttpRequestMessage message, SecretFile? file, string prefix)
    {
        if (ReadCustomerKey(file) is var (text, key))
        {
            message.Headers.TryAddWithoutValidation($"{prefix}-algorithm", "AES256");
            message.Headers.TryAddWithoutValidation($"{prefix}-key", text);
            message.Headers.TryAddWithoutValidation($"{prefix}-key-sha256", Convert.ToBase64String(SHA256.HashData(key)));
        }
    }

    /// <summary>A customer's key.</summary>
    /// <returns>In Base64, and decoded; null if objects are not encrypted with one.</returns>
    /// <exception cref="StorageException">It cannot be read.</exception>
    protected static (string Text, byte[] Bytes)? ReadCustomerKey(SecretFile? file)
    {
        if (file?.Read() is not { } text)
        {
            return null;
        }

        return TryDecodeCustomerKey(text) is { } key ? (text, key) : throw new StorageException(FailureReason.NoCredential) { LogDetail = "The customer's key is not 256 bits in Base64." };
    }

    /// <summary>A customer's key.</summary>
    /// <returns>Null if the text is not 256 bits in Base64.</returns>
    public static byte[]? TryDecodeCustomerKey(string text)
    {
        var key = new byte[CustomerKeyBytes + 1];
        return Convert.TryFromBase64String(text, key, out var length) && length == CustomerKeyBytes ? key[..length] : null;
    }
}
