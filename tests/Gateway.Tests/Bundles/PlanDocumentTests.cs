using System.Text.Json;
using Gateway.Archiving;
using Gateway.Bundles;
using Gateway.Plans;

namespace Gateway.Tests.Bundles;

public class PlanDocumentTests
{
    [Fact]
    public void It_describes_the_archive()
    {
        var plan = BundlePlan.Create(TestBundle.Request(format: ArchiveFormat.Zip, compression: Compression.Store), [TestBundle.Entry(), TestBundle.Entry("s/b", index: 1)]);

        var document = PlanDocument.From(plan, 512);

        Assert.Equal(("bundle.zip", "zip", "store", plan.Recipe.Fingerprint), (document.Name, document.Format, document.Compression, document.Encoder));
        Assert.Equal((200L, 512L, plan.ETag), (document.Size, document.Length, document.ETag));
    }

    [Fact]
    public void It_has_one_entry_for_each_id_in_order_and_missing_ones_have_only_names()
    {
        var plan = TestBundle.Plan(TestBundle.MissingEntry("s/a", 0), TestBundle.Entry("s/b", index: 1) with { Name = "other" });

        var entries = PlanDocument.From(plan, null).Entries;

        Assert.Equal(
            [new(0, "s/a", "s/a", null, null, null, null, null, "missing"), new PlanDocument.Entry(1, "s/b", "other", 100, "\"v1\"", TestBundle.Modified, null, null, "ok")],
            entries);
    }

    [Fact]
    public void An_object_that_is_stored_encoded_is_either_sent_so_or_decoded()
    {
        var encoded = TestBundle.Head() with { Encoding = "gzip" };

        var entries = PlanDocument.From(TestBundle.Plan(TestBundle.Entry(head: encoded), TestBundle.Entry("s/b", encoded.Decoded(500), 1)), null).Entries;

        Assert.Equal(("gzip", null, 100L), (entries[0].Encoding, entries[0].Decoded, entries[0].Size));
        Assert.Equal((null, "gzip", 500L), (entries[1].Encoding, entries[1].Decoded, entries[1].Size));
    }

    [Fact]
    public void In_JSON_unknown_values_are_null_and_codings_are_left_out()
    {
        var document = PlanDocument.From(TestBundle.Plan(TestBundle.Entry(head: TestBundle.Head(etag: null))), null);

        var json = JsonSerializer.SerializeToElement(document, JsonSerializerOptions.Web);

        Assert.Equal(["name", "format", "compression", "encoder", "size", "length", "etag", "entries"], json.EnumerateObject().Select(field => field.Name));
        Assert.Equal(JsonValueKind.Null, json.GetProperty("etag").ValueKind);
        Assert.Equal(["index", "id", "name", "size", "etag", "modified", "status"], json.GetProperty("entries")[0].EnumerateObject().Select(field => field.Name));
    }
}
