using Amazon.Runtime;
using Gateway.Storage.Failures;
using Gateway.Storage.Stores.Dialects;

namespace Gateway.Storage.Stores.S3;

/// <summary>The keys of a store's section, from the configuration or from files that may be replaced at any time.</summary>
/// <remarks>Any number of threads. While several files are replaced one after the other, keys that do not belong together can be read. The store rejects
/// them, and all files are read again.</remarks>
internal sealed class AccessKeys(StoreOptions options, TimeProvider time)
{
    private readonly SecretFile _id = new(options.AccessKey, options.AccessKeyFile, time);
    private readonly SecretFile _secret = new(options.SecretKey, options.SecretKeyFile, time);
    private readonly SecretFile? _token = (options.SessionToken ?? options.SessionTokenFile) is null ? null : new SecretFile(options.SessionToken, options.SessionTokenFile, time);

    /// <summary>The current keys.</summary>
    /// <exception cref="StorageException">A file has never been read, and cannot be read now, or is empty.</exception>
    public ImmutableCredentials Read() => new(_id.Read(), _secret.Read(), _token?.Read());

    /// <summary>The next use reads the files again, because storage has rejected what they held.</summary>
    public void Forget()
    {
        _id.Forget();
        _secret.Forget();
        _token?.Forget();
    }
}
