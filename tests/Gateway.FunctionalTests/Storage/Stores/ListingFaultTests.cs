using System.Globalization;
using System.Text;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>What a store can do wrong when it lists, and what a listing costs at most.</summary>
public class ListingFaultTests
{
    private const string Url = "/bundle?ids=s/w,s/x/&format=tar";
    private const int MaxPages = 27;

    public static TheoryData<string, string> Bodies => new()
    {
        { "", "not valid XML" },
        { "hello", "not valid XML" },
        { "<html><body>Sign in</body></html>", "not that of an S3 bucket" },
        { Page("<IsTruncated>false</IsTruncated>")[..^5], "not valid XML" },
        { Page(""), "whether it is truncated" },
        { Page("<IsTruncated>true</IsTruncated>"), "no token" },
        { Page(Entry("y/a") + Last), "outside of the prefix" },
        { Page(Entry("x") + Last), "outside of the prefix" },
        { Page(Entry("X/a") + Last), "outside of the prefix" },
        { Page(Entry("x/a") + Entry("x/a") + Last), "a key twice" },
        { Page(Entry("") + Last), "without a key" },
        { Page("<Contents><Key>x/a</Key><Size>-1</Size></Contents>" + Last), "without a valid size" },
        { Page(Entry("x/%FF") + "<EncodingType>url</EncodingType>" + Last), "UTF-8" },
        { Page(Entry("x/%4") + "<EncodingType>url</EncodingType>" + Last), "encoding is not valid" },
        { Page(string.Concat(Enumerable.Range(0, 5001).Select(i => Entry($"x/{i}"))) + Last), "more than 5,000 entries" },
        { "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]>" + Page("<A>&c;</A>" + Last), "not valid XML" },
        { "<Error><Code>AccessDenied</Code><Message>secret message</Message></Error>", "an error instead of a listing" },
        { Page(string.Concat(Enumerable.Repeat("<A></A>" + new string(' ', 30_000), 300)) + Last), "more than 8388608 bytes" },
    };

    private static string Last => "<IsTruncated>false</IsTruncated>";

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_page_that_cannot_be_a_listing_is_an_error_of_storage(string body, string expected)
    {
        await using var store = await StartAsync();
        await using var gateway = await store.StartGatewayAsync();
        store.Scripted!.Listing = _ => ScriptedResponse.Xml(200, body);

        foreach (var missing in new[] { "fail", "skip" })
        {
            var problem = Assert.Single(EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, $"{Url}&missing={missing}"), 502));

            Assert.Equal((1, "s/x/"), (problem.Index, problem.Id));
            Assert.Contains(expected, problem.Reason, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", problem.Reason, StringComparison.Ordinal);
            Assert.Equal("Upstream/InvalidListing", (await gateway.RequireOneOutcomeAsync()).Blame);
        }

        Assert.Equal((2, 0), (store.Listings, store.Scripted.Gets));
    }

    [Theory]
    [InlineData(500, "InternalError", 502)]
    [InlineData(503, "SlowDown", 503)]
    [InlineData(200, "InternalError", 502)]
    [InlineData(200, "SlowDown", 503)]
    public async Task A_page_that_fails_is_requested_again(int status, string code, int final)
    {
        await using var store = await StartAsync();
        await using var gateway = await store.StartGatewayAsync(("Bundle:Upstream:FirstByteTimeout", "00:00:02"), ("Bundle:Upstream:Attempts", 3));
        var failures = 1;
        store.Scripted!.Listing = _ => Interlocked.Decrement(ref failures) >= 0 ? S3Error.Create(status, code, "x/") : null;

        Assert.Equal(3, (await Download.GetAsync(gateway.Client, Url)).RequireWhole().Count);
        Assert.Equal(2, store.Listings);

        failures = int.MaxValue;
        Assert.Equal((1, "s/x/"), EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, Url), final).Select(problem => (problem.Index, problem.Id)).Single());
        Assert.True(store.Listings >= 4);
        Assert.DoesNotContain(ScriptedS3.HostId, string.Join('\n', gateway.Outcomes.Lines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Ending.Close)]
    [InlineData(Ending.Reset)]
    [InlineData(Ending.Stall)]
    public async Task A_page_that_breaks_off_is_requested_again(Ending ending)
    {
        await using var store = await StartAsync();
        await using var gateway = await store.StartGatewayAsync(("Bundle:Upstream:FirstByteTimeout", "00:00:01"), ("Bundle:Upstream:StallTimeout", "00:00:01"), ("Bundle:Upstream:Attempts", 2));
        var page = Page(Entry("x/a") + Entry("x/b") + Last);
        var failures = 1;
        store.Scripted!.Listing = _ => Interlocked.Decrement(ref failures) >= 0 ? ScriptedResponse.Xml(200, page) with { After = page.Length - 60, Ending = ending } : null;

        Assert.Equal(3, (await Download.GetAsync(gateway.Client, Url)).RequireWhole().Count);

        failures = int.MaxValue;
        Assert.Equal((1, "s/x/"), EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, Url), ending == Ending.Stall ? 504 : 502).Select(problem => (problem.Index, problem.Id)).Single());
    }

    [Fact]
    public async Task A_page_may_be_empty_and_not_the_last()
    {
        await using var store = await StartAsync();
        await using var gateway = await store.StartGatewayAsync();
        var places = new Queue<string>(["x", "x/", "x/A"]);
        store.Scripted!.Listing = _ => places.TryDequeue(out var after) ? ScriptedResponse.Xml(200, Page(Truncated($"1+/{Convert.ToBase64String(Encoding.UTF8.GetBytes(after))}&amp;=="))) : null;

        Assert.Equal(3, (await Download.GetAsync(gateway.Client, "/bundle?ids=s/w,s/x/&format=tar")).RequireWhole().Count);

        Assert.Equal(4, store.Listings);
    }

    [Theory]
    [InlineData("the same token")]
    [InlineData("two tokens in turn")]
    [InlineData("new tokens")]
    [InlineData("one object in each")]
    public async Task A_listing_without_end_is_bounded(string kind)
    {
        await using var store = await StartAsync();
        await using var gateway = await store.StartGatewayAsync();
        var count = 0;
        store.Scripted!.Listing = _ => Interlocked.Increment(ref count) == 5001 ? null : ScriptedResponse.Xml(200, Page(kind switch
        {
            "the same token" => Truncated("a"),
            "two tokens in turn" => Truncated($"{count % 2}"),
            "new tokens" => Truncated($"{count}"),
            _ => Entry($"x/{count:d4}") + Truncated($"{count}"),
        }));

        var problem = Assert.Single(EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, Url + "&missing=skip"), 502));

        Assert.Equal(new EntryProblem(1, "s/x/", kind == "the same token" ? "Storage sent the same page of a listing twice." : "Storage sent too many pages of a listing that hold few objects."), problem);
        Assert.Equal(kind == "the same token" ? 2 : MaxPages, store.Listings);
        Assert.Equal(0, store.Scripted.Gets);
        Assert.Equal("Upstream/InvalidListing", (await gateway.RequireOneOutcomeAsync()).Blame);
    }

    [Fact]
    public async Task A_missing_bucket_is_an_error_and_not_an_empty_folder()
    {
        await using var store = await StartAsync();
        await using var gateway = await store.StartGatewayAsync();
        store.Scripted!.Listing = _ => S3Error.Create(404, "NoSuchBucket", "x/");

        var problem = Assert.Single(EntryProblem.ReadAll(await Download.GetAsync(gateway.Client, Url + "&missing=skip"), 502));

        Assert.Equal((1, "s/x/"), (problem.Index, problem.Id));
        Assert.Contains("bucket", problem.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1001)]
    [InlineData(2000)]
    [InlineData(10_000)]
    public async Task Objects_cost_a_listing_for_each_thousand_a_GET_each_and_no_HEAD(int count)
    {
        Matrix.RequireFull(unless: count < 10_000);
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync([.. Enumerable.Range(0, count).Select(KeyOf)]);
        await using var gateway = await store.StartGatewayAsync();

        var archive = await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/&format=tar");

        Assert.Equal(count, archive.RequireWhole().Count);
        Assert.Equal(((count + 999) / 1000, count, 0, 0), (store.Listings, store.Scripted!.Gets, store.Scripted.Heads, store.Scripted.Others));
        Assert.Empty(store.Scripted.Refused);
    }

    [Theory]
    [InlineData(1500, 1500, 2)]
    [InlineData(1501, 1500, 2)]
    [InlineData(5000, 1500, 2)]
    [InlineData(10_001, 10_000, 11)]
    public async Task One_object_too_many_ends_the_listing(int count, int maxEntries, int listings)
    {
        Matrix.RequireFull(unless: maxEntries < 10_000);
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync(["w", .. Enumerable.Range(0, count).Select(KeyOf)]);
        await using var gateway = await store.StartGatewayAsync(("Bundle:Limits:MaxEntries", maxEntries));

        var alone = await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/&format=tar");
        if (count <= maxEntries)
        {
            Assert.Equal(count, alone.RequireWhole().Count);
            RequireTooMany(await Download.GetAsync(gateway.Client, "/bundle?ids=s/w,s/x/&format=tar"));
            RequireTooMany(await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/,s/x/&format=tar"));
            return;
        }

        RequireTooMany(alone);
        Assert.Equal((listings, 0), (store.Listings, store.Scripted!.Gets));
        RequireTooMany(await Download.GetAsync(gateway.Client, "/bundle?ids=s/x/&format=tar&missing=skip"));

        void RequireTooMany(Download download)
        {
            EntryProblem.ReadAll(download, 413);
            var text = Encoding.UTF8.GetString(download.Bytes);
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"at most {maxEntries} entries"), text, StringComparison.Ordinal);
            Assert.Contains("'s/x/'", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("fail")]
    [InlineData("skip")]
    [InlineData("abort")]
    public async Task Too_many_bytes_are_known_before_the_first_object_is_opened(string missing)
    {
        await using var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync([("x/a", new byte[600]), ("x/b", new byte[401])]);
        await using var gateway = await store.StartGatewayAsync(("Bundle:Limits:MaxBytes", 1000));

        var download = await Download.GetAsync(gateway.Client, $"/bundle?ids=s/x/&missing={missing}");

        EntryProblem.ReadAll(download, 413);
        Assert.Contains("1001 bytes", Encoding.UTF8.GetString(download.Bytes), StringComparison.Ordinal);
        Assert.Equal((1, 0, 0), (store.Listings, store.Scripted!.Gets, store.Scripted.Heads));
    }

    private static string KeyOf(int i) => string.Create(CultureInfo.InvariantCulture, $"x/{i:d5}");

    private static string Page(string content) => $"<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{content}</ListBucketResult>";

    private static string Entry(string key) =>
        $"<Contents><Key>{key}</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&quot;{key}&quot;</ETag><Size>1</Size></Contents>";

    private static string Truncated(string token) => $"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>";

    private static async Task<ListableStore> StartAsync()
    {
        var store = await ListableStore.StartScriptedAsync();
        await store.PutAsync("w", "x/a", "x/b");
        return store;
    }
}
