using Gateway.Storage.Failures;

namespace Gateway.Storage.Stores.Dialects;

/// <summary>Which settings of a store belong together.</summary>
internal static class StoreOptionsRules
{
    private const int MaxBucketLength = 255;

    /// <summary>Checks a section.</summary>
    /// <param name="cluster">The name of the section.</param>
    /// <param name="options">The section.</param>
    /// <returns>One line for each error. No line contains a secret.</returns>
    public static IEnumerable<string> FindFaults(string cluster, StoreOptions options)
    {
        var where = $"Stores:{cluster}";
        if (options.Kind is not { } kind)
        {
            return [$"{where}:Kind: is required: s3, azure or gcs"];
        }

        return FindForeign(options).Select(key => $"{where}:{key}: does not apply to {kind.ToString().ToLowerInvariant()}")
            .Concat(FindMissing(options))
            .Concat(FindContradictions(options))
            .Concat(FindFileFaults(options))
            .Select(fault => fault.StartsWith(where, StringComparison.Ordinal) ? fault : $"{where}:{fault}");
    }

    private static IEnumerable<string> FindForeign(StoreOptions options)
    {
        var isS3 = options.Kind == StoreKind.S3;
        var isAzure = options.Kind == StoreKind.Azure;
        (string Key, bool IsSet, bool Applies)[] keys =
        [
            (nameof(options.Region), options.Region is not null, !isAzure),
            (nameof(options.AccessKey), options.AccessKey is not null, !isAzure),
            (nameof(options.AccessKeyFile), options.AccessKeyFile is not null, !isAzure),
            (nameof(options.SecretKey), options.SecretKey is not null, !isAzure),
            (nameof(options.SecretKeyFile), options.SecretKeyFile is not null, !isAzure),
            (nameof(options.SessionToken), options.SessionToken is not null, isS3),
            (nameof(options.SessionTokenFile), options.SessionTokenFile is not null, isS3),
            (nameof(options.AssumeRole), options.AssumeRole is not null, isS3),
            (nameof(options.ExternalId), options.ExternalId is not null, isS3),
            (nameof(options.RequesterPays), options.RequesterPays, isS3),
            (nameof(options.Account), options.Account is not null, isAzure),
            (nameof(options.AccountKey), options.AccountKey is not null, isAzure),
            (nameof(options.AccountKeyFile), options.AccountKeyFile is not null, isAzure),
            (nameof(options.Sas), options.Sas is not null, isAzure),
            (nameof(options.SasFile), options.SasFile is not null, isAzure),
            (nameof(options.ServiceAccountFile), options.ServiceAccountFile is not null, options.Kind == StoreKind.Gcs),
        ];
        return keys.Where(key => key is { IsSet: true, Applies: false }).Select(key => key.Key);
    }

    private static IEnumerable<string> FindMissing(StoreOptions options)
    {
        if (options.Bucket.Length is 0 or > MaxBucketLength || options.Bucket.AsSpan().ContainsAny('/', '?', '#') || options.Bucket.Any(c => c is <= ' ' or > '~'))
        {
            yield return "Bucket: is required: the name of a bucket or container";
        }

        if (options is { Kind: StoreKind.S3, Region: null, Source: not StoreCredentials.None })
        {
            yield return "Region: is required, because requests are signed for it";
        }

        if (options.Source != StoreCredentials.Keys)
        {
            yield break;
        }

        if (options.Kind == StoreKind.Azure)
        {
            if ((options.Sas ?? options.SasFile ?? options.AccountKey ?? options.AccountKeyFile) is null)
            {
                yield return "Credentials: keys are required: Sas, SasFile, AccountKey or AccountKeyFile";
            }

            if ((options.AccountKey ?? options.AccountKeyFile) is not null && options.Account is null)
            {
                yield return "Account: is required with an account key";
            }
        }
        else if ((options.AccessKey ?? options.AccessKeyFile) is null || (options.SecretKey ?? options.SecretKeyFile) is null)
        {
            yield return "AccessKey: this or AccessKeyFile is required together with SecretKey or SecretKeyFile";
        }
    }

    private static IEnumerable<string> FindContradictions(StoreOptions options)
    {
        (string Key, string? Value)[] texts =
        [
            (nameof(options.AccessKey), options.AccessKey), (nameof(options.SecretKey), options.SecretKey), (nameof(options.SessionToken), options.SessionToken),
            (nameof(options.AssumeRole), options.AssumeRole), (nameof(options.Account), options.Account), (nameof(options.AccountKey), options.AccountKey), (nameof(options.Sas), options.Sas),
        ];
        foreach (var (key, _) in texts.Where(text => text.Value is { } value && string.IsNullOrWhiteSpace(value)))
        {
            yield return $"{key}: is empty";
        }

        if (options.Source != StoreCredentials.Keys && (options.HasKeys || (options.SessionToken ?? options.SessionTokenFile) is not null))
        {
            yield return $"Credentials: is {options.Source.ToString().ToLowerInvariant()}, but keys are set, which would not be used";
        }

        (string Key, string? Value, string? File)[] pairs =
        [
            (nameof(options.AccessKey), options.AccessKey, options.AccessKeyFile), (nameof(options.SecretKey), options.SecretKey, options.SecretKeyFile),
            (nameof(options.SessionToken), options.SessionToken, options.SessionTokenFile),
        ];
        foreach (var (key, _, _) in pairs.Where(pair => pair is { Value: not null, File: not null }))
        {
            yield return $"{key}File: {key} is set too; use one of them";
        }

        if (new[] { options.Sas, options.SasFile, options.AccountKey, options.AccountKeyFile }.Count(key => key is not null) > 1)
        {
            yield return "Sas: use only one of Sas, SasFile, AccountKey and AccountKeyFile";
        }

        if (options.ExternalId is not null && options.AssumeRole is null)
        {
            yield return "ExternalId: applies only together with AssumeRole";
        }

        if (options.AssumeRole is not null && options.Source == StoreCredentials.None)
        {
            yield return "AssumeRole: needs credentials";
        }

        if (options.ServiceAccountFile is not null && options.Source != StoreCredentials.Chain)
        {
            yield return "ServiceAccountFile: takes the place of the chain; remove Credentials and the keys";
        }
    }

    private static IEnumerable<string> FindFileFaults(StoreOptions options)
    {
        (string Key, string? Path)[] files =
        [
            (nameof(options.AccessKeyFile), options.AccessKeyFile), (nameof(options.SecretKeyFile), options.SecretKeyFile), (nameof(options.SessionTokenFile), options.SessionTokenFile), (nameof(options.AccountKeyFile), options.AccountKeyFile), (nameof(options.SasFile), options.SasFile),
            (nameof(options.ServiceAccountFile), options.ServiceAccountFile), (nameof(options.CustomerKeyFile), options.CustomerKeyFile),
        ];
        // The path is not repeated: it may be the secret itself.
        foreach (var (key, path) in files)
        {
            if (path is not null && !File.Exists(path))
            {
                yield return $"{key}: the file does not exist";
            }
        }

        if (options.CustomerKeyFile is { } keyFile && File.Exists(keyFile) && ReadSecret(keyFile) is { } text && StoreDialect.TryDecodeCustomerKey(text) is null)
        {
            yield return $"{nameof(options.CustomerKeyFile)}: the file does not contain 256 bits in Base64";
        }
    }

    /// <returns>Null if it cannot be read now; a file may be filled later.</returns>
    private static string? ReadSecret(string path)
    {
        try
        {
            return new SecretFile(null, path, TimeProvider.System).Read();
        }
        catch (StorageException)
        {
            return null;
        }
    }
}
