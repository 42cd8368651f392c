namespace Gateway.Storage.Stores.Dialects;

/// <summary>What a store speaks.</summary>
public enum StoreKind
{
    /// <summary>Amazon S3 and compatible stores: MinIO, Ceph, R2, Wasabi …</summary>
    S3,

    /// <summary>Azure Blob Storage.</summary>
    Azure,

    /// <summary>Google Cloud Storage, by its XML API.</summary>
    Gcs,
}

/// <summary>Where the gateway's credentials for a store come from.</summary>
public enum StoreCredentials
{
    /// <summary>The vendor's own order: environment, files, workload identity, the machine's metadata service.</summary>
    Chain,

    /// <summary>The keys in this section.</summary>
    Keys,

    /// <summary>None: the bucket is public.</summary>
    None,
}

/// <summary>How the gateway talks to the store behind a YARP cluster. Section <c>Stores:{cluster}</c>. Read once at the start.</summary>
/// <remarks>YARP configures the addresses, load balancing, health and path transforms. A cluster with a store is read-only.</remarks>
public sealed class StoreOptions
{
    /// <summary>What the store speaks. Required.</summary>
    public StoreKind? Kind { get; set; }

    /// <summary>The bucket or container. Required. The host of each address begins with it (virtual-host style), or it is the first segment of the path. With Azurite
    /// it follows the account.</summary>
    public string Bucket { get; set; } = "";

    /// <summary>The region that requests are signed for, for example <c>eu-central-1</c>; <c>auto</c> for R2. Required for <c>s3</c> with credentials.</summary>
    public string? Region { get; set; }

    /// <summary>Where the credentials come from. If keys, a SAS or their files are set here, the default is <c>keys</c>; otherwise <c>chain</c>.</summary>
    public StoreCredentials? Credentials { get; set; }

    /// <summary>The id of an access key. For <c>s3</c>, and for <c>gcs</c> with an HMAC key.</summary>
    public string? AccessKey { get; set; }

    /// <summary>A file that holds <see cref="AccessKey"/>. It is read again when it changes.</summary>
    public string? AccessKeyFile { get; set; }

    /// <summary>The secret of <see cref="AccessKey"/>.</summary>
    public string? SecretKey { get; set; }

    /// <summary>A file that holds <see cref="SecretKey"/>. It is read again when it changes.</summary>
    public string? SecretKeyFile { get; set; }

    /// <summary>The session token of temporary keys. For <c>s3</c>.</summary>
    public string? SessionToken { get; set; }

    /// <summary>A file that holds <see cref="SessionToken"/>. It is read again when it changes.</summary>
    public string? SessionTokenFile { get; set; }

    /// <summary>The ARN of a role to assume with the credentials. For <c>s3</c>.</summary>
    public string? AssumeRole { get; set; }

    /// <summary>The external id that the role's trust policy requires. For <c>s3</c>.</summary>
    public string? ExternalId { get; set; }

    /// <summary>The storage account. For <c>azure</c> with an account key.</summary>
    public string? Account { get; set; }

    /// <summary>The key of <see cref="Account"/>, in Base64. The gateway creates a SAS from it that may only read and list, and lasts one hour.</summary>
    public string? AccountKey { get; set; }

    /// <summary>A file that holds <see cref="AccountKey"/>. It is read again when it changes.</summary>
    public string? AccountKeyFile { get; set; }

    /// <summary>A shared access signature: the query without its question mark. For <c>azure</c>.</summary>
    public string? Sas { get; set; }

    /// <summary>A file that holds <see cref="Sas"/>. It is read again when it changes.</summary>
    public string? SasFile { get; set; }

    /// <summary>The JSON key of a service account. For <c>gcs</c> in place of the chain.</summary>
    public string? ServiceAccountFile { get; set; }

    /// <summary>Whether the gateway's account pays for requests. For <c>s3</c>.</summary>
    public bool RequesterPays { get; set; }

    /// <summary>A file that holds the customer's 256-bit key in Base64 (SSE-C). Only with https.</summary>
    public string? CustomerKeyFile { get; set; }

    /// <summary>Whether S3 is asked for the checksums that it stores, which are then compared.</summary>
    public bool Checksums { get; set; } = true;

    /// <summary>Whether signed requests may use <c>http:</c> to hosts other than this machine. Tokens and SAS never do.</summary>
    public bool AllowPlainHttp { get; set; }

    /// <summary>Where the credentials come from, with the default.</summary>
    internal StoreCredentials Source => Credentials ?? (HasKeys ? StoreCredentials.Keys : StoreCredentials.Chain);

    /// <summary>Whether a request carries something that can be used without its owner: a bearer token or a SAS. A customer's key has a rule for itself.</summary>
    internal bool SendsSecrets => Source != StoreCredentials.None && (Kind == StoreKind.Azure || (Kind == StoreKind.Gcs && Source == StoreCredentials.Chain));

    /// <summary>Whether keys, a SAS or their files are set.</summary>
    internal bool HasKeys => (AccessKey ?? AccessKeyFile ?? SecretKey ?? SecretKeyFile ?? AccountKey ?? AccountKeyFile ?? Sas ?? SasFile) is not null;
}
