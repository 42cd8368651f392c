using Gateway.Archiving;
using Gateway.Requests;
using Gateway.Responses;

namespace Gateway.Tests.Requests;

public class BundleRequestTests
{
    [Fact]
    public void A_request_has_the_recipe_of_its_fields_and_of_the_options()
    {
        var options = new CompressionOptions { Default = Compression.Small };

        Assert.Equal(new ArchiveRecipe(ArchiveFormat.TarGz, Compression.Small), Create("?ids=s/a", options).Recipe);
        Assert.Equal(new ArchiveRecipe(ArchiveFormat.Zip, Compression.Store), Create("?ids=s/a&format=zip&compression=store", options).Recipe);
    }

    [Theory]
    [InlineData("?ids=s/a&name=photos.zip&format=zip", "photos")]
    [InlineData("?ids=s/a&name=photos.TGZ", "photos")]
    [InlineData("?ids=s/a&name=photos.zip", "photos.zip")]
    [InlineData("?ids=s/a&name=.zip&format=zip", "zip")]
    public void The_file_name_has_no_extension_of_its_format(string query, string expected) => Assert.Equal(expected, Create(query).FileName);

    [Fact]
    public void A_request_without_ids_is_a_400() => Assert.Equal("No ids were given.", Assert.Throws<BundleProblemException>(() => Create("?format=zip")).Message);

    [Fact]
    public void Every_invalid_entry_is_reported()
    {
        var problem = Assert.Throws<BundleProblemException>(() => Create("?ids=s/a,,/b,s/../c,s/d"));

        Assert.Equal(
            [new(1, "", "the id is empty"), new(2, "/b", "the id begins with a slash"), new EntryError(3, "s/../c", "the id contains an empty, '.' or '..' segment")],
            problem.Errors);
    }

    [Theory]
    [InlineData("s/a:b", "x", null)]
    [InlineData("s//a%2Fb/", "x", null)]
    [InlineData("s/a", "ab:c", "the name contains one of < > : \" | ? *, which Windows cannot unpack")]
    [InlineData("s/a", "../b", "the name contains an empty, '.' or '..' segment")]
    [InlineData("s/a", "", "the name is empty")]
    [InlineData("s/%2e%2e/a", "x", "the id contains a '.' or '..' segment after decoding")]
    [InlineData("s//a", null, "the id contains an empty, '.' or '..' segment")]
    [InlineData("s/a:b", null, "the id, which is the entry's name, contains one of < > : \" | ? *, which Windows cannot unpack")]
    public void With_a_separate_name_the_id_need_not_be_a_name(string id, string? name, string? expected)
    {
        var fields = new BundleFields(1);
        fields.Add(new RequestedEntry(id, name));

        var problem = Record.Exception(() => BundleRequest.Create(fields, new CompressionOptions(), new NameOptions()));

        Assert.Equal(expected, (problem as BundleProblemException)?.Errors.Single().Reason);
    }

    [Fact]
    public void Names_need_not_be_portable_if_the_operator_permits_it()
    {
        var request = BundleRequest.Create(BundleFields.FromQuery("?ids=s/a:b", 1), new CompressionOptions(), new NameOptions { Portable = false });

        Assert.Equal("s/a:b", request.Entries[0].Name);
    }

    [Fact]
    public void Names_that_collide_are_reported_at_both_entries()
    {
        var problem = Assert.Throws<BundleProblemException>(() => Create("?ids=s/a,s/b,s/A"));

        const string Reason = "names that differ only in case or Unicode form: entries 0 and 2";
        Assert.Equal([new(0, "s/a", Reason), new EntryError(2, "s/A", Reason)], problem.Errors);
    }

    [Fact]
    public void An_entry_may_have_the_name_of_the_receipt_only_without_a_receipt()
    {
        Assert.Equal("MANIFEST.json", Create("?ids=MANIFEST.json").Entries[0].Name);

        var problem = Assert.Throws<BundleProblemException>(() => Create("?ids=manifest.JSON,s/a&receipt=true"));

        Assert.Equal([new EntryError(0, "manifest.JSON", "names that differ only in case or Unicode form: the receipt is MANIFEST.json")], problem.Errors);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1L << 50, true)]
    [InlineData((1L << 50) + 1, false)]
    [InlineData(-1, false)]
    public void A_size_is_at_most_a_pebibyte(long size, bool isValid)
    {
        var fields = new BundleFields(1);
        fields.Add(new RequestedEntry("s/a", Size: size));

        var problem = Record.Exception(() => BundleRequest.Create(fields, new CompressionOptions(), new NameOptions()));

        Assert.Equal(isValid ? null : "the size is not within 0…1125899906842624", (problem as BundleProblemException)?.Errors.Single().Reason);
    }

    [Theory]
    [InlineData("s/a", null, false)]
    [InlineData("s//a", null, false)]
    [InlineData("s/a", "x", false)]
    [InlineData("s//a", "x", true)]
    [InlineData("s/a/", "x", true)]
    [InlineData("s/a%41", "x", true)]
    public void An_id_that_could_change_on_its_way_to_storage_is_exact(string id, string? name, bool expected) =>
        Assert.Equal(expected, new RequestedEntry(id, name).IsExact);

    [Theory]
    [InlineData("s/x/", null, true, "s/x/")]
    [InlineData("s/", null, true, "s/")]
    [InlineData("s/x/", "y/", true, "y/")]
    [InlineData("s/x/", "/", true, "")]
    [InlineData("s/x/", "y", false, "y")]
    [InlineData("s/x", "y/", false, "y/")]
    [InlineData("s/x", null, false, "s/x")]
    public void An_id_that_ends_in_a_slash_is_a_folder_unless_its_name_does_not(string id, string? name, bool isFolder, string folderName)
    {
        var entry = new RequestedEntry(id, name);

        Assert.Equal(isFolder, entry.IsFolder);
        Assert.Equal(folderName, entry.FolderName);
        Assert.False(isFolder && entry.IsExact);
    }

    public static TheoryData<string, string?, string?> Folders => new()
    {
        { "s/x/", null, null },
        { "s/", null, null },
        { "s/x/", "/", null },
        { "s/x/", "photos/2026/", null },
        { "s/a:b/", null, null },
        { "/", null, "the id is empty" },
        { "s//", null, "the id contains an empty, '.' or '..' segment" },
        { "s/../", null, "the id contains an empty, '.' or '..' segment" },
        { "s/%2e%2e/", null, "the id contains a '.' or '..' segment after decoding" },
        { "s/%252e/", "x/", "the id contains a '.' or '..' segment after decoding" },
        { "s/x/", "../", "the name contains an empty, '.' or '..' segment" },
        { "s/x/", "//", "the name begins with a slash" },
        { "s/x/", "/y/", "the name begins with a slash" },
        { "s/x/", "ab:c/", "the name contains one of < > : \" | ? *, which Windows cannot unpack" },
        { "s/x", "y/", "the name contains an empty, '.' or '..' segment" },
    };

    [Theory]
    [MemberData(nameof(Folders))]
    public void The_id_and_the_name_of_a_folder_obey_the_rules_of_entries(string id, string? name, string? expected)
    {
        var fields = new BundleFields(1);
        fields.Add(new RequestedEntry(id, name));

        var problem = Record.Exception(() => BundleRequest.Create(fields, new CompressionOptions(), new NameOptions()));

        Assert.Equal(expected, (problem as BundleProblemException)?.Errors.Single().Reason);
    }

    [Fact]
    public void A_folder_has_no_size_etag_or_sha256()
    {
        RequestedEntry[] entries = [new("s/x/", Size: 1), new("s/x/", ETag: "\"v\""), new("s/x/", Sha256: new byte[32])];
        var fields = new BundleFields(3);
        Array.ForEach(entries, fields.Add);

        var problem = Assert.Throws<BundleProblemException>(() => BundleRequest.Create(fields, new CompressionOptions(), new NameOptions()));

        Assert.Equal(Enumerable.Repeat("the id of a folder has no size, etag or sha256", 3), problem.Errors.Select(error => error.Reason));
    }

    [Fact]
    public void Names_are_compared_only_when_the_folders_are_known()
    {
        Assert.Equal(3, Create("?ids=s/x/,s/x/a,s/X/A").Entries.Count);

        Assert.Throws<BundleProblemException>(() => Create("?ids=s/x/a,s/X/A"));
    }

    private static BundleRequest Create(string query, CompressionOptions? compression = null) =>
        BundleRequest.Create(BundleFields.FromQuery(query, 100), compression ?? new CompressionOptions(), new NameOptions());
}
