using Gateway.Storage.Failures;
using Gateway.Storage.Stores.Dialects;
using Microsoft.Extensions.Time.Testing;

namespace Storage.Tests.Stores.Dialects;

public sealed class SecretFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("secret").FullName;
    private readonly FakeTimeProvider _time = new();
    private readonly string _path;
    private readonly SecretFile _file;

    public SecretFileTests()
    {
        _path = Path.Combine(_folder, "secret");
        _file = new SecretFile(null, _path, _time);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_secret_of_the_configuration_needs_no_file() => Assert.Equal("secret", new SecretFile("secret", "/missing", _time).Read());

    [Fact]
    public void White_space_around_a_secret_is_not_part_of_it()
    {
        File.WriteAllText(_path, "\uFEFF  one two \r\n");

        Assert.Equal("one two", _file.Read());
    }

    [Fact]
    public void The_file_is_read_again_after_five_seconds()
    {
        File.WriteAllText(_path, "one");
        var first = _file.Read();
        File.WriteAllText(_path, "two");

        _time.Advance(TimeSpan.FromSeconds(4.9));
        var before = _file.Read();
        _time.Advance(TimeSpan.FromSeconds(0.1));
        var after = _file.Read();

        Assert.Equal(("one", "one", "two"), (first, before, after));
    }

    [Fact]
    public void A_rejected_secret_is_read_again_at_once()
    {
        File.WriteAllText(_path, "one");
        _file.Read();
        File.WriteAllText(_path, "two");

        _file.Forget();

        Assert.Equal("two", _file.Read());
    }

    [Fact]
    public void A_secret_is_kept_while_its_file_is_missing()
    {
        File.WriteAllText(_path, "one");
        _file.Read();
        File.Delete(_path);

        _time.Advance(TimeSpan.FromSeconds(5));
        var missing = _file.Read();
        _file.Forget();
        var rejected = _file.Read();
        File.WriteAllText(_path, "two");
        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(("one", "one", "two"), (missing, rejected, _file.Read()));
    }

    [Fact]
    public void A_secret_is_kept_while_its_file_is_being_written()
    {
        File.WriteAllText(_path, "one");
        _file.Read();
        File.WriteAllText(_path, "\n");

        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal("one", _file.Read());
    }

    // Kubernetes: secret -> ..data/secret, ..data -> ..2026_1, and a swap replaces ..data by a rename.
    [Fact]
    public void A_link_to_another_folder_replaces_a_secret()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "..2026_1"));
        Directory.CreateDirectory(Path.Combine(_folder, "..2026_2"));
        File.WriteAllText(Path.Combine(_folder, "..2026_1", "secret"), "one");
        File.WriteAllText(Path.Combine(_folder, "..2026_2", "secret"), "two");
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "..2026_2", "secret"), File.GetLastWriteTimeUtc(Path.Combine(_folder, "..2026_1", "secret")));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "..data"), "..2026_1");
        File.CreateSymbolicLink(_path, Path.Combine("..data", "secret"));
        var first = _file.Read();

        Directory.CreateSymbolicLink(Path.Combine(_folder, "..tmp"), "..2026_2");
        Directory.Delete(Path.Combine(_folder, "..data"));
        Directory.Move(Path.Combine(_folder, "..tmp"), Path.Combine(_folder, "..data"));
        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(("one", "two"), (first, _file.Read()));
    }

    [Fact]
    public void Without_a_file_there_is_no_credential_and_only_the_log_names_it()
    {
        var failure = Assert.Throws<StorageException>(_file.Read);

        Assert.Equal(FailureReason.NoCredential, failure.Reason);
        Assert.Equal(FailureReason.NoCredential.Text, failure.Message);
        Assert.Contains(_path, failure.LogDetail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    public void An_empty_file_holds_no_credential(string text)
    {
        File.WriteAllText(_path, text);

        var failure = Assert.Throws<StorageException>(_file.Read);

        Assert.Equal((FailureReason.NoCredential, "The file of a secret cannot be read: The file is empty."), (failure.Reason, failure.LogDetail));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_that_is_too_large_for_a_secret_is_not_read(bool isLink)
    {
        var target = Path.Combine(_folder, "large");
        File.WriteAllText(isLink ? target : _path, new string('s', (64 * 1024) + 1));
        if (isLink)
        {
            File.CreateSymbolicLink(_path, target);
        }

        var failure = Assert.Throws<StorageException>(_file.Read);

        Assert.Equal((FailureReason.NoCredential, "The file of a secret cannot be read: The file is too large for a secret."), (failure.Reason, failure.LogDetail));
    }

    [Fact]
    public void A_secret_may_have_64_KiB()
    {
        File.WriteAllText(_path, new string('s', 64 * 1024));

        Assert.Equal(64 * 1024, _file.Read().Length);
    }
}
