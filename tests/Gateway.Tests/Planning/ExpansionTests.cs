using CsCheck;
using Gateway.Planning;
using Gateway.Plans;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Storage.Failures;

namespace Gateway.Tests.Planning;

public sealed class ExpansionTests : IDisposable
{
    private static readonly string[] Names = ["a", "A", "a/b", "a/B", "a/c", "b", "B/a", "b/c/d", "MANIFEST.json"];

    private readonly TestListing _listing = new();

    public void Dispose() => _listing.Dispose();

    [Theory]
    [InlineData("s/x/", null, "a/b", "s/x/a/b")]
    [InlineData("s/x/", "photos/", "a/b", "photos/a/b")]
    [InlineData("s/x/", "photos/2026/", "a", "photos/2026/a")]
    [InlineData("s/x/", "/", "a/b", "a/b")]
    [InlineData("s/", null, "a", "s/a")]
    [InlineData("s/x/", null, "a%41", "s/x/a%41")]
    public async Task The_name_of_a_folder_is_replaced_and_the_rest_of_the_key_stays(string id, string? name, string key, string expected)
    {
        var entry = Assert.Single((await ExpandAsync(Request(), new RequestedEntry(id, name), key)).Entries);

        Assert.Equal((id + key, expected), (entry.Requested.Id, entry.Requested.Name));
        Assert.Equal((id[2..] + key, true, true), (entry.Object.Key, entry.Object.IsExact, entry.IsListed));
        Assert.False(entry.Requested.IsFolder);
    }

    [Fact]
    public async Task What_a_listing_reports_is_the_plan()
    {
        var entry = Assert.Single((await ExpandAsync(Request(), new RequestedEntry("s/x/"), "a")).Entries);

        var planned = PlannedEntry.From(entry);

        Assert.Equal((1, "\"v\"", TestBundle.Modified, true), (planned.Head!.Size, planned.Head.ETag, planned.Head.Modified, planned.Head.IsFromListing));
        Assert.Equal((true, false), (planned.IsChecked, planned.IsMissing));
    }

    [Fact]
    public async Task Where_objects_are_decoded_a_listing_does_not_report_their_sizes()
    {
        var expansion = new Expansion(Request(), new NameOptions());

        await expansion.AddFolderAsync(_listing.Resolve(new RequestedEntry("s/x/"), source: _listing.Decoding), [TestListing.Listed("a")]);

        Assert.Null(Assert.Single(expansion.Complete().Entries).Listed);
    }

    [Theory]
    [InlineData("../a", "the key contains an empty, '.' or '..' segment")]
    [InlineData("a//b", "the key contains an empty, '.' or '..' segment")]
    [InlineData("/a", "the key contains an empty, '.' or '..' segment")]
    [InlineData("marker/", "the key contains an empty, '.' or '..' segment")]
    [InlineData("a\\b", "the key contains a backslash")]
    [InlineData("%2e%2e/a", "the key contains a '.' or '..' segment after decoding")]
    [InlineData("a\u0001", "the key contains the character U+0001, which is not allowed")]
    [InlineData("a\u202Eb", "the key contains the character U+202E, which is not allowed")]
    [InlineData("a:b", "the name contains one of < > : \" | ? *, which Windows cannot unpack")]
    [InlineData("NUL.txt", "the name contains a segment that is a device name on Windows")]
    [InlineData("a.", "the name contains a segment that ends in a dot or a space, which Windows cannot unpack")]
    public async Task A_key_that_no_archive_can_hold_is_an_error_or_is_omitted(string key, string reason)
    {
        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => ExpandAsync(Request(), new RequestedEntry("s/x/"), "ok", key));
        var skipped = await ExpandAsync(Request(MissingPolicy.Skip), new RequestedEntry("s/x/"), "ok", key);

        var error = Assert.Single(problem.Errors);
        Assert.Equal((400, 0, reason), (problem.StatusCode, error.Index, error.Reason));
        Assert.Equal([false, true], skipped.Entries.Select(entry => entry.IsOmitted));
        Assert.DoesNotContain(error.Id + skipped.Entries[1].Requested.Id, c => c is '\u0001' or '\u202E');
        Assert.True(PlannedEntry.From(skipped.Entries[1]).IsMissing);
    }

    [Fact]
    public async Task Names_need_not_be_portable_if_the_operator_permits_it()
    {
        var expansion = new Expansion(Request(), new NameOptions { Portable = false });

        await expansion.AddFolderAsync(_listing.Resolve(new RequestedEntry("s/x/")), [TestListing.Listed("a:b")]);

        Assert.Equal("s/x/a:b", Assert.Single(expansion.Complete().Entries).Requested.Name);
    }

    [Theory]
    [InlineData((int)MissingPolicy.Fail)]
    [InlineData((int)MissingPolicy.Skip)]
    [InlineData((int)MissingPolicy.Abort)]
    public async Task An_archived_object_must_be_restored_whatever_happens_to_missing_ones(int missing)
    {
        var expansion = new Expansion(Request((MissingPolicy)missing), new NameOptions());
        await expansion.AddFolderAsync(_listing.Resolve(new RequestedEntry("s/x/")), [TestListing.Listed("a") with { ArchivedAs = "DEEP_ARCHIVE" }, TestListing.Listed("b")]);

        var problem = Assert.Throws<BundleProblemException>(expansion.Complete);

        Assert.Equal((409, FailureReason.Archived), (problem.StatusCode, problem.Reason));
        Assert.Equal([new EntryError(0, "s/x/a", "The object is archived (DEEP_ARCHIVE) and must be restored first.")], problem.Errors);
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_reported_at_once()
    {
        var expansion = new Expansion(Request(), new NameOptions());
        await expansion.AddFolderAsync(_listing.Resolve(new RequestedEntry("s/x/")), [TestListing.Listed("a") with { ArchivedAs = "GLACIER" }, TestListing.Listed("b:c")]);
        await expansion.AddFolderAsync(_listing.Resolve(new RequestedEntry("s/y/"), 1), []);

        var problem = Assert.Throws<BundleProblemException>(expansion.Complete);

        Assert.Equal((400, "Some entries cannot be bundled."), (problem.StatusCode, problem.Message));
        Assert.Equal([(0, "s/x/a"), (0, "s/x/b:c"), (1, "s/y/")], problem.Errors.Select(error => (error.Index, error.Id)));
    }

    [Theory]
    [InlineData("a", "A", "names that differ only in case or Unicode form: 's/x/a'")]
    [InlineData("a", "a/b", "one name is a folder of the other: 's/x/a'")]
    [InlineData("ü", "u\u0308", "names that differ only in case or Unicode form: 's/x/ü'")]
    public async Task Of_two_names_that_collide_the_second_is_the_error_or_is_omitted(string first, string second, string reason)
    {
        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => ExpandAsync(Request(), new RequestedEntry("s/x/"), first, second));
        var skipped = await ExpandAsync(Request(MissingPolicy.Skip), new RequestedEntry("s/x/"), first, second);

        Assert.Equal([new EntryError(0, "s/x/" + second, reason)], problem.Errors);
        Assert.Equal([false, true], skipped.Entries.Select(entry => entry.IsOmitted));
        Assert.Null(skipped.Entries[1].Listed);
    }

    [Fact]
    public async Task An_entry_that_the_client_names_comes_before_a_listed_one_of_the_same_name()
    {
        var expansion = new Expansion(Request(MissingPolicy.Skip), new NameOptions());
        await expansion.AddFolderAsync(_listing.Resolve(new RequestedEntry("s/x/")), [TestListing.Listed("a"), TestListing.Listed("b")]);
        expansion.Add(_listing.Resolve(new RequestedEntry("s/x/a"), 1));

        var entries = expansion.Complete().Entries;

        Assert.Equal([("s/x/a", true), ("s/x/b", false), ("s/x/a", false)], entries.Select(entry => (entry.Requested.Id, entry.IsOmitted)));
    }

    [Fact]
    public void Two_entries_that_the_client_names_alike_are_an_error_even_with_skip()
    {
        var expansion = new Expansion(Request(MissingPolicy.Skip), new NameOptions());
        expansion.Add(_listing.Resolve(new RequestedEntry("s/a")));
        expansion.Add(_listing.Resolve(new RequestedEntry("s/b", "s/a"), 1));

        var problem = Assert.Throws<BundleProblemException>(expansion.Complete);

        Assert.Equal([new EntryError(0, "s/a", "the same name twice: 's/b'")], problem.Errors);
    }

    [Fact]
    public async Task A_listed_object_may_not_have_the_name_of_the_receipt()
    {
        var folder = new RequestedEntry("s/x/", "/");

        var problem = await Assert.ThrowsAsync<BundleProblemException>(() => ExpandAsync(TestBundle.Request(hasReceipt: true), folder, "manifest.json"));
        var skipped = await ExpandAsync(TestBundle.Request(hasReceipt: true, missing: MissingPolicy.Skip), folder, "a", "manifest.json");

        Assert.Equal([new EntryError(0, "s/x/manifest.json", "names that differ only in case or Unicode form: 'MANIFEST.json'")], problem.Errors);
        Assert.Equal([false, true], skipped.Entries.Select(entry => entry.IsOmitted));
    }

    [Fact]
    public void With_skip_no_names_that_remain_collide()
    {
        var names = Gen.Int[0, Names.Length - 1].Select(i => Names[i]);
        var entries = Gen.Select(names, Gen.Bool).Array[1, 12];

        entries.Sample(drawn =>
        {
            var expansion = new Expansion(TestBundle.Request(hasReceipt: true, missing: MissingPolicy.Skip), new NameOptions());

            // What the client names cannot be omitted, so it has only one such entry.
            var given = Array.FindIndex(drawn, entry => entry.Item2 && entry.Item1 != BundleRequest.ReceiptName);
            for (var i = 0; i < drawn.Length; i++)
            {
                if (i == given)
                {
                    expansion.Add(_listing.Resolve(new RequestedEntry($"s/{i}", drawn[i].Item1), i));
                }
                else
                {
                    expansion.AddFolderAsync(_listing.Resolve(new RequestedEntry($"s/{i}/", "/"), i), [TestListing.Listed(drawn[i].Item1)]).AsTask().GetAwaiter().GetResult();
                }
            }

            var present = expansion.Complete().Entries.Where(entry => !entry.IsOmitted).ToArray();
            Assert.Empty(EntryNames.Collisions([.. present.Select(entry => entry.Requested.Name), BundleRequest.ReceiptName]));
            Assert.True(given < 0 || present.Any(entry => !entry.IsListed));
        });
    }

    private static BundleRequest Request(MissingPolicy missing = MissingPolicy.Fail) => TestBundle.Request(missing: missing);

    private async Task<ResolvedBundle> ExpandAsync(BundleRequest request, RequestedEntry folder, params string[] keys)
    {
        var expansion = new Expansion(request, new NameOptions());
        await expansion.AddFolderAsync(_listing.Resolve(folder), [.. keys.Select(key => TestListing.Listed(key))]);
        return expansion.Complete();
    }
}
