using System.Text;
using Gateway.Archiving;
using Gateway.Requests;
using Gateway.Responses;

namespace Gateway.Tests.Requests;

public class BundleManifestTests
{
    private static readonly string Hash = new('a', 64);

    [Fact]
    public void A_manifest_that_is_written_is_the_same_request_when_it_is_read()
    {
        var fields = Read(new()
        {
            Name = "grüße",
            Format = "tar.zst",
            Compression = "small",
            Missing = "abort",
            Receipt = true,
            Entries = [new() { Id = "s/ä\"b" }, new() { Id = "s/c", Name = "d", Size = 0, ETag = "\"v\"", Sha256 = Hash }],
        });

        var again = BundleFields.FromManifest(BundleManifest.From(fields).ToBytes(), 10);

        Assert.Equal(
            (ArchiveFormat.TarZst, Compression.Small, MissingPolicy.Abort, true, "grüße"),
            (again.Format, again.Compression, again.Missing, again.HasReceipt, again.FileName));
        Assert.Equal([new("s/ä\"b"), new RequestedEntry("s/c", "d", 0, "\"v\"")], again.Entries.Select(entry => entry with { Sha256 = null }));
        Assert.Equal(Convert.FromHexString(Hash), again.Entries[1].Sha256);
    }

    [Fact]
    public void What_was_not_requested_is_not_written()
    {
        var json = Encoding.UTF8.GetString(BundleManifest.From(BundleFields.FromQuery("?ids=s/ü", 10)).ToBytes());

        Assert.Equal("""{"name":"bundle","format":"tar.gz","missing":"fail","entries":[{"id":"s/ü"}]}""", json);
    }

    [Fact]
    public void The_lifetime_and_the_pin_of_a_link_are_read_but_not_part_of_its_manifest()
    {
        var fields = Read(new() { ExpiresIn = 60, Pin = true, Entries = [] });

        Assert.Equal((60L, true), (fields.ExpiresIn, fields.Pin));
        Assert.DoesNotContain("60", Encoding.UTF8.GetString(BundleManifest.From(fields).ToBytes()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("format", "format: one of tar.gz (or tgz), tar, tar.zst, zip.")]
    [InlineData("compression", "compression: one of fast, small, store.")]
    [InlineData("missing", "missing: one of fail, skip, abort.")]
    public void A_value_is_judged_as_in_a_query(string field, string expected)
    {
        var manifest = field switch
        {
            "format" => new BundleManifest { Format = "x" },
            "compression" => new BundleManifest { Compression = "x" },
            _ => new BundleManifest { Missing = "x" },
        };

        Assert.Equal(expected, Assert.Throws<BundleProblemException>(() => Read(manifest)).Message);
    }

    [Fact]
    public void Every_entry_with_an_invalid_hash_or_validator_is_reported()
    {
        var problem = Assert.Throws<BundleProblemException>(() => Read(new()
        {
            Entries =
            [
                new() { Id = "s/0", ETag = "\"v\"", Sha256 = Hash.ToUpperInvariant() },
                new() { Id = "s/1", Sha256 = Hash[1..] },
                new() { Id = "s/2", Sha256 = Hash[1..] + "g" },
                new() { Id = "s/3", ETag = "W/\"v\"" },
                new() { Id = "s/4", ETag = "v" },
                new() { Id = "s/5", ETag = "*" },
                new() { Id = "s/6", ETag = "\"v\" " },
            ],
        }));

        const string BadHash = "sha256 is not 64 hexadecimal digits", BadTag = "etag is not a quoted strong entity tag";
        Assert.Equal((400, "Some entries cannot be bundled."), (problem.StatusCode, problem.Message));
        Assert.Equal([new(1, "s/1", BadHash), new(2, "s/2", BadHash), new(3, "s/3", BadTag), new(4, "s/4", BadTag), new(5, "s/5", BadTag), new EntryError(6, "s/6", BadTag)], problem.Errors);
    }

    private static BundleFields Read(BundleManifest manifest)
    {
        var fields = new BundleFields(10);
        manifest.CopyTo(fields);
        return fields;
    }
}
