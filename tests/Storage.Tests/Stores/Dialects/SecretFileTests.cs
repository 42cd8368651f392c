using Gateway.Storage.Failures;
using Gateway.Storage.Stores.Dialects;
using Microsoft.Extensions.Time.Testing;

namespace Storage.Tests.Stores.Dialects;

public sealed class SecretFileTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly string _path = Path.GetTempFileName();
    private readonly SecretFile _secret;

    public SecretFileTests() => _secret = new SecretFile(null, _path, _time);

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void A_file_is_read_again_after_five_seconds_or_after_a_rejection()
    {
        File.WriteAllText(_path, " one\n");
        var first = _secret.Read();
        File.WriteAllText(_path, "two");

        var cached = _secret.Read();
        _secret.Forget();
        var rejected = _secret.Read();
        File.WriteAllText(_path, "three");
        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(("one", "one", "two", "three"), (first, cached, rejected, _secret.Read()));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    public void An_empty_file_is_one_that_is_being_written(string text)
    {
        File.WriteAllText(_path, text);
        var failure = Assert.Throws<StorageException>(_secret.Read);
        File.WriteAllText(_path, "one");
        var written = _secret.Read();
        File.WriteAllText(_path, text);
        _secret.Forget();

        var meanwhile = _secret.Read();

        Assert.Equal((FailureReason.NoCredential, "one", "one"), (failure.Reason, written, meanwhile));
        Assert.Contains("is empty", failure.LogDetail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_of_the_configuration_is_used_as_it_is()
    {
        var secret = new SecretFile("value", null, _time);

        secret.Forget();

        Assert.Equal("value", secret.Read());
    }
}
