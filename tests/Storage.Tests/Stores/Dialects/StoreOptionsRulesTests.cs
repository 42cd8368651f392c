using System.Reflection;
using Gateway.Storage.Stores.Dialects;

namespace Storage.Tests.Stores.Dialects;

public sealed class StoreOptionsRulesTests : IDisposable
{
    private const string Secret = "SECRET";
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    private static StoreOptions S3 => new() { Kind = StoreKind.S3, Bucket = "acme", Region = "eu-central-1" };

    private static StoreOptions Azure => new() { Kind = StoreKind.Azure, Bucket = "acme" };

    private static StoreOptions Gcs => new() { Kind = StoreKind.Gcs, Bucket = "acme" };

    public static TheoryData<string, Func<string, StoreOptions>> Complete => new()
    {
        { "s3, chain", _ => S3 },
        { "s3, role", _ => With(S3, options => (options.AssumeRole, options.ExternalId) = ("arn:aws:iam::1:role/r", "id")) },
        { "s3, keys", _ => With(S3, options => (options.AccessKey, options.SecretKey, options.SessionToken) = ("AK", Secret, "token")) },
        { "s3, key files", file => With(S3, options => (options.AccessKeyFile, options.SecretKeyFile, options.SessionTokenFile) = (file, file, file)) },
        { "s3, key file", file => With(S3, options => (options.AccessKey, options.SecretKeyFile, options.CustomerKeyFile) = ("AK", file, file)) },
        { "s3, public", _ => With(S3, options => (options.Credentials, options.Region, options.Checksums) = (StoreCredentials.None, null, false)) },
        { "s3, requester pays", _ => With(S3, options => (options.RequesterPays, options.AllowPlainHttp) = (true, true)) },
        { "azure, chain", _ => Azure },
        { "azure, account key", _ => With(Azure, options => (options.Account, options.AccountKey) = ("account", Secret)) },
        { "azure, account key file", file => With(Azure, options => (options.Account, options.AccountKeyFile) = ("account", file)) },
        { "azure, SAS", _ => With(Azure, options => options.Sas = "sig=" + Secret) },
        { "azure, SAS file", file => With(Azure, options => options.SasFile = file) },
        { "azure, public", _ => With(Azure, options => options.Credentials = StoreCredentials.None) },
        { "gcs, chain", _ => Gcs },
        { "gcs, HMAC", _ => With(Gcs, options => (options.AccessKey, options.SecretKey) = ("GOOG", Secret)) },
        { "gcs, service account", file => With(Gcs, options => options.ServiceAccountFile = file) },
        { "gcs, public", _ => With(Gcs, options => options.Credentials = StoreCredentials.None) },
    };

    [Theory]
    [MemberData(nameof(Complete))]
    public void A_complete_section_has_no_faults(string name, Func<string, StoreOptions> create)
    {
        var options = create(_file);

        var faults = StoreOptionsRules.FindFaults(name, options);

        Assert.Empty(faults);
    }

    public static TheoryData<Action<StoreOptions>, StoreKind, string> Incomplete => new()
    {
        { options => options.Kind = null, StoreKind.S3, "Kind: is required: s3, azure or gcs" },
        { options => options.Bucket = "", StoreKind.S3, "Bucket: is required: the name of a bucket or container" },
        { options => options.Bucket = "a/b", StoreKind.S3, "Bucket: is required: the name of a bucket or container" },
        { options => options.Bucket = "a?b", StoreKind.S3, "Bucket: is required: the name of a bucket or container" },
        { options => options.Bucket = "a#b", StoreKind.S3, "Bucket: is required: the name of a bucket or container" },
        { options => options.Bucket = "a b", StoreKind.S3, "Bucket: is required: the name of a bucket or container" },
        { options => options.Bucket = "ü", StoreKind.S3, "Bucket: is required: the name of a bucket or container" },
        { options => options.Bucket = new string('b', 256), StoreKind.S3, "Bucket: is required: the name of a bucket or container" },
        { options => options.Region = null, StoreKind.S3, "Region: is required, because requests are signed for it" },
        { options => options.Credentials = StoreCredentials.Keys, StoreKind.S3, "AccessKey: this or AccessKeyFile is required together with SecretKey or SecretKeyFile" },
        { options => options.AccessKey = Secret, StoreKind.S3, "AccessKey: this or AccessKeyFile is required together with SecretKey or SecretKeyFile" },
        { options => options.SecretKey = Secret, StoreKind.S3, "AccessKey: this or AccessKeyFile is required together with SecretKey or SecretKeyFile" },
        { options => options.Credentials = StoreCredentials.Keys, StoreKind.Gcs, "AccessKey: this or AccessKeyFile is required together with SecretKey or SecretKeyFile" },
        { options => options.Credentials = StoreCredentials.Keys, StoreKind.Azure, "Credentials: keys are required: Sas, SasFile, AccountKey or AccountKeyFile" },
        { options => options.AccountKey = Secret, StoreKind.Azure, "Account: is required with an account key" },
        { options => (options.Sas, options.AccountKey, options.Account) = (Secret, Secret, "account"), StoreKind.Azure, "Sas: use only one of Sas, SasFile, AccountKey and AccountKeyFile" },
        { options => options.ExternalId = Secret, StoreKind.S3, "ExternalId: applies only together with AssumeRole" },
        { options => (options.AssumeRole, options.Credentials) = ("arn", StoreCredentials.None), StoreKind.S3, "AssumeRole: needs credentials" },
        { options => (options.AccessKey, options.SecretKeyFile) = ("AK", "/missing"), StoreKind.S3, "SecretKeyFile: the file does not exist" },
        { options => (options.AccessKeyFile, options.SecretKey) = ("/missing", Secret), StoreKind.S3, "AccessKeyFile: the file does not exist" },
        { options => options.CustomerKeyFile = "/missing", StoreKind.S3, "CustomerKeyFile: the file does not exist" },
        { options => (options.Account, options.AccountKeyFile) = ("account", "/missing"), StoreKind.Azure, "AccountKeyFile: the file does not exist" },
        { options => options.SasFile = "/missing", StoreKind.Azure, "SasFile: the file does not exist" },
        { options => options.ServiceAccountFile = "/missing", StoreKind.Gcs, "ServiceAccountFile: the file does not exist" },
    };

    [Theory]
    [MemberData(nameof(Incomplete))]
    public void A_fault_is_one_line_that_names_the_key_and_contains_no_secret(Action<StoreOptions> change, StoreKind kind, string expected)
    {
        var options = With(kind switch { StoreKind.S3 => S3, StoreKind.Azure => Azure, _ => Gcs }, change);

        var faults = StoreOptionsRules.FindFaults("media", options).ToArray();

        Assert.Equal([$"Stores:media:{expected}"], faults);
        Assert.DoesNotContain(Secret, faults[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n", true)]
    [InlineData("", true)]
    [InlineData("MDEyMzQ1Njc4OWFiY2RlZg==", false)]
    [InlineData("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm", false)]
    [InlineData("not Base64!", false)]
    public void A_customer_s_key_has_256_bits_unless_its_file_is_still_empty(string text, bool isValid)
    {
        File.WriteAllText(_file, text);

        var faults = StoreOptionsRules.FindFaults("a", With(S3, options => options.CustomerKeyFile = _file));

        Assert.Equal(isValid ? [] : [$"Stores:a:CustomerKeyFile: the file does not contain 256 bits in Base64"], faults);
    }

    [Fact]
    public void Two_secrets_for_one_key_are_a_fault()
    {
        var keys = With(S3, options => (options.AccessKey, options.SecretKey, options.SecretKeyFile) = ("AK", Secret, _file));
        var account = With(Gcs, options => (options.AccessKey, options.SecretKey, options.ServiceAccountFile) = ("GOOG", Secret, _file));

        var faults = StoreOptionsRules.FindFaults("a", keys).Concat(StoreOptionsRules.FindFaults("b", account));

        Assert.Equal(["Stores:a:SecretKeyFile: SecretKey is set too; use one of them", "Stores:b:ServiceAccountFile: takes the place of the chain; remove Credentials and the keys"], faults);
    }

    [Theory]
    [InlineData(StoreKind.S3, "Account, AccountKey, AccountKeyFile, Sas, SasFile, ServiceAccountFile")]
    [InlineData(StoreKind.Azure, "AccessKey, AccessKeyFile, AssumeRole, ExternalId, Region, RequesterPays, SecretKey, SecretKeyFile, ServiceAccountFile, SessionToken, SessionTokenFile")]
    [InlineData(StoreKind.Gcs, "Account, AccountKey, AccountKeyFile, AssumeRole, ExternalId, RequesterPays, Sas, SasFile, SessionToken, SessionTokenFile")]
    public void A_key_of_another_kind_does_not_apply(StoreKind kind, string expected)
    {
        // One key at a time, whatever else is missing then.
        var settable = typeof(StoreOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.PropertyType == typeof(string) || property.Name == "RequesterPays");

        var foreign = settable.Where(property =>
        {
            var options = new StoreOptions { Kind = kind, Bucket = "acme" };
            property.SetValue(options, property.PropertyType == typeof(string) ? _file : true);
            return StoreOptionsRules.FindFaults("media", options).Contains($"Stores:media:{property.Name}: does not apply to {kind.ToString().ToLowerInvariant()}");
        });

        Assert.Equal(expected, string.Join(", ", foreign.Select(property => property.Name).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void All_faults_are_reported_at_once()
    {
        var options = new StoreOptions { Kind = StoreKind.S3, Sas = Secret, ExternalId = Secret };

        var faults = StoreOptionsRules.FindFaults("media", options).ToArray();

        Assert.Equal(["Sas", "Bucket", "Region", "AccessKey", "ExternalId"], faults.Select(fault => fault.Split(':')[2]));
        Assert.All(faults, fault => Assert.DoesNotContain(Secret, fault, StringComparison.Ordinal));
    }

    [Fact]
    public void Keys_in_the_section_take_the_place_of_the_chain()
    {
        Assert.Equal(StoreCredentials.Chain, S3.Source);
        Assert.Equal(StoreCredentials.Keys, With(S3, options => options.AccessKey = "AK").Source);
        Assert.Equal(StoreCredentials.Keys, With(Azure, options => options.SasFile = "f").Source);
        Assert.Equal(StoreCredentials.None, With(S3, options => (options.AccessKey, options.Credentials) = ("AK", StoreCredentials.None)).Source);
    }

    [Fact]
    public void Tokens_and_SAS_can_be_used_without_their_owner_and_signatures_cannot()
    {
        Assert.False(S3.SendsSecrets);
        Assert.True(Azure.SendsSecrets);
        Assert.True(With(Azure, options => options.Sas = "s").SendsSecrets);
        Assert.False(With(Azure, options => options.Credentials = StoreCredentials.None).SendsSecrets);
        Assert.True(Gcs.SendsSecrets);
        Assert.False(With(Gcs, options => options.AccessKey = "AK").SendsSecrets);
    }

    private static StoreOptions With(StoreOptions options, Action<StoreOptions> change)
    {
        change(options);
        return options;
    }
}
