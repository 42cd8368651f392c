using System.Security.Cryptography;
using System.Text;
using Gateway.Archiving;
using Gateway.Plans;
using Gateway.Requests;
using Gateway.Storage.Checksums;
using Testing;

namespace Gateway.Tests.Plans;

public class BundleHashTests
{
    private static readonly PlannedEntry A = TestBundle.Entry("s/a");
    private static readonly PlannedEntry B = TestBundle.Entry("s/b", index: 1);
    private static readonly PlannedEntry Missing = TestBundle.MissingEntry("s/m", 2);

    // Clients resume by the ETag, so it must not change from one release to the next.
    [Fact]
    public void The_ETag_is_half_of_a_SHA_256_over_parts_that_each_follow_their_length()
    {
        var source = TestBundle.Source("t", headers: ["X-Tenant"]);
        var decoded = TestBundle.Entry("t/b", (TestBundle.Head() with { Encoding = "gzip" }).Decoded(500), 1, source, TestClient.Create(("X-Tenant", "acme")));

        Assert.Equal(Hash("tar/1", "", "ok", "s/a", "s/a", "\"v1\"", "100 1767323045 "), BundleHash.OfVersion(TestBundle.Plan(A)));
        Assert.Equal(
            Hash("tar/1", "receipt", "ok", "s/a", "s/a", "\"v1\"", "100 1767323045 ", "ok", "t/b", "t/b", "\"v1\"", "500 1767323045 ", "gzip decoded", "missing", "s/m", "s/m", "t", "X-Tenant", "acme"),
            BundleHash.OfVersion(TestBundle.PlanWithReceipt(A, decoded, Missing)));
        Assert.Equal(
            Hash("tar/1", "", "ok", "s/a", "s/a", "ok", "t/b", "t/b", "ok", "s/m", "s/m", "t", "X-Tenant", "acme"),
            BundleHash.OfRequest(TestBundle.Plan(A, decoded, Missing)));
    }

    [Fact]
    public void Equal_plans_have_equal_hashes()
    {
        Assert.Equal(BundleHash.OfVersion(TestBundle.Plan(A, B)), BundleHash.OfVersion(TestBundle.Plan(TestBundle.Entry("s/a"), TestBundle.Entry("s/b", index: 1))));

        Assert.NotEqual(BundleHash.OfVersion(TestBundle.Plan(A, B)), BundleHash.OfRequest(TestBundle.Plan(A, B)));
    }

    public static TheoryData<string> Versions => ["etag", "size", "modified", "encoding", "decoded"];

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_new_version_of_an_object_changes_the_ETag_but_not_the_request(string change)
    {
        var changed = A with { Head = Change(change) };

        Assert.NotEqual(BundleHash.OfVersion(TestBundle.Plan(A)), BundleHash.OfVersion(TestBundle.Plan(changed)));
        Assert.Equal(BundleHash.OfRequest(TestBundle.Plan(A)), BundleHash.OfRequest(TestBundle.Plan(changed)));
    }

    [Fact]
    public void The_version_of_an_encoded_object_differs_from_that_of_its_decoded_form()
    {
        var encoded = TestBundle.Head() with { Encoding = "gzip" };

        Assert.NotEqual(
            BundleHash.OfVersion(TestBundle.Plan(A with { Head = encoded })),
            BundleHash.OfVersion(TestBundle.Plan(A with { Head = encoded.Decoded(100) })));
    }

    [Fact]
    public void A_change_below_a_second_is_no_new_version_because_no_header_shows_it()
    {
        var changed = A with { Head = TestBundle.Head() with { Modified = TestBundle.Modified.AddMilliseconds(999) } };

        Assert.Equal(BundleHash.OfVersion(TestBundle.Plan(A)), BundleHash.OfVersion(TestBundle.Plan(changed)));
    }

    [Fact]
    public void Order_ids_and_names_change_both_hashes()
    {
        BundlePlan[] plans =
        [
            TestBundle.Plan(A, B),
            TestBundle.Plan(B with { Index = 0 }, A with { Index = 1 }),
            TestBundle.Plan(A, B with { Name = "c" }),
            TestBundle.Plan(A, B with { Id = "s/c" }),
            TestBundle.Plan(A),
            TestBundle.Plan(A, B, TestBundle.Entry("s/c", index: 2)),
        ];

        AssertAllDiffer(plans.Select(BundleHash.OfVersion));
        AssertAllDiffer(plans.Select(BundleHash.OfRequest));
    }

    [Fact]
    public void Text_cannot_move_from_one_part_to_the_next() =>
        Assert.NotEqual(
            BundleHash.OfRequest(TestBundle.Plan(A with { Id = "ab", Name = "c" })),
            BundleHash.OfRequest(TestBundle.Plan(A with { Id = "a", Name = "bc" })));

    [Fact]
    public void The_recipe_and_the_receipt_change_both_hashes()
    {
        BundlePlan[] plans =
        [
            BundlePlan.Create(TestBundle.Request(), [A]),
            BundlePlan.Create(TestBundle.Request(hasReceipt: true), [A]),
            BundlePlan.Create(TestBundle.Request(format: ArchiveFormat.TarGz), [A]),
            BundlePlan.Create(TestBundle.Request(format: ArchiveFormat.TarGz, compression: Compression.Store), [A]),
            BundlePlan.Create(TestBundle.Request(format: ArchiveFormat.Zip), [A]),
            BundlePlan.Create(TestBundle.Request(format: ArchiveFormat.Zip, compression: Compression.Small), [A]),
        ];

        AssertAllDiffer(plans.Select(BundleHash.OfVersion));
        AssertAllDiffer(plans.Select(BundleHash.OfRequest));
    }

    [Fact]
    public void What_changes_no_byte_of_the_archive_does_not_change_the_ETag()
    {
        var request = TestBundle.Request(missing: MissingPolicy.Skip) with { FileName = "other", CarriesRights = true, PinnedETag = "\"x\"" };
        var entry = A with { Sha256 = new byte[32], Head = TestBundle.Head() with { IsFromHead = true, Checksums = new([new Checksum(ChecksumKind.Crc32, new byte[4])]) } };

        Assert.Equal(BundleHash.OfVersion(TestBundle.Plan(A)), BundleHash.OfVersion(BundlePlan.Create(request, [entry])));
        Assert.Equal(BundleHash.OfRequest(TestBundle.Plan(A)), BundleHash.OfRequest(BundlePlan.Create(request, [entry])));
    }

    [Fact]
    public void The_version_id_of_a_store_is_part_of_the_ETag_only_if_the_receipt_contains_it()
    {
        var (one, two) = (A with { Head = TestBundle.Head() with { Version = "1" } }, A with { Head = TestBundle.Head() with { Version = "2" } });

        Assert.Equal(BundleHash.OfVersion(TestBundle.Plan(A)), BundleHash.OfVersion(TestBundle.Plan(one)));
        Assert.Equal(BundleHash.OfRequest(TestBundle.PlanWithReceipt(one)), BundleHash.OfRequest(TestBundle.PlanWithReceipt(two)));
        AssertAllDiffer(new[] { A, one, two }.Select(entry => BundleHash.OfVersion(TestBundle.PlanWithReceipt(entry))));
    }

    [Fact]
    public void A_missing_entry_is_part_of_the_version_only_if_the_receipt_lists_it()
    {
        Assert.Equal(BundleHash.OfVersion(TestBundle.Plan(A)), BundleHash.OfVersion(TestBundle.Plan(A, Missing)));
        Assert.NotEqual(BundleHash.OfRequest(TestBundle.Plan(A)), BundleHash.OfRequest(TestBundle.Plan(A, Missing)));

        AssertAllDiffer(
        [
            BundleHash.OfVersion(TestBundle.PlanWithReceipt(A)),
            BundleHash.OfVersion(TestBundle.PlanWithReceipt(A, Missing)),
            BundleHash.OfVersion(TestBundle.PlanWithReceipt(A, TestBundle.Entry("s/m", index: 2))),
            BundleHash.OfVersion(TestBundle.PlanWithReceipt(Missing with { Index = 0 }, A with { Index = 1 })),
        ]);
    }

    [Fact]
    public void A_request_is_the_same_whether_an_object_exists_or_not() =>
        Assert.Equal(BundleHash.OfRequest(TestBundle.Plan(A, Missing)), BundleHash.OfRequest(TestBundle.Plan(A, TestBundle.Entry("s/m", index: 2))));

    [Fact]
    public void The_headers_that_a_source_receives_change_both_hashes_and_other_headers_do_not()
    {
        var source = TestBundle.Source(headers: ["X-Tenant"]);
        BundlePlan Of(params (string, string)[] headers) => TestBundle.Plan(TestBundle.Entry(source: source, client: TestClient.Create(headers)));

        AssertAllDiffer(new[] { Of(("X-Tenant", "a")), Of(("X-Tenant", "b")), Of(), TestBundle.Plan(A) }.Select(BundleHash.OfVersion));
        AssertAllDiffer(new[] { Of(("X-Tenant", "a")), Of(("X-Tenant", "b")), Of(), TestBundle.Plan(A) }.Select(BundleHash.OfRequest));
        Assert.Equal(BundleHash.OfVersion(Of(("X-Tenant", "a"))), BundleHash.OfVersion(Of(("X-Tenant", "a"), ("X-Other", "b"))));
    }

    private static Gateway.Storage.Objects.ObjectHead Change(string change) => change switch
    {
        "etag" => TestBundle.Head(etag: "\"v2\""),
        "size" => TestBundle.Head(101),
        "modified" => TestBundle.Head() with { Modified = TestBundle.Modified.AddSeconds(1) },
        "encoding" => TestBundle.Head() with { Encoding = "gzip" },
        "decoded" => (TestBundle.Head() with { Encoding = "gzip" }).Decoded(100),
        _ => throw new ArgumentOutOfRangeException(nameof(change), change, "Unknown change."),
    };

    private static string Hash(params string[] parts)
    {
        using var stream = new MemoryStream();
        foreach (var part in parts)
        {
            stream.Write(BitConverter.GetBytes(Encoding.UTF8.GetByteCount(part)));
            stream.Write(Encoding.UTF8.GetBytes(part));
        }

        return $"\"{Convert.ToHexStringLower(SHA256.HashData(stream.ToArray()).AsSpan(0, 16))}\"";
    }

    private static void AssertAllDiffer(IEnumerable<string> hashes)
    {
        var all = hashes.ToArray();
        Assert.All(all, hash => Assert.Matches("^\"[0-9a-f]{32}\"$", hash));
        Assert.Equal(all.Distinct(), all);
    }
}
