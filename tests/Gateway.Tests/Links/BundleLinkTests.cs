using System.IO.Compression;
using System.Text;
using CsCheck;
using Gateway.Links;
using Gateway.Requests;

namespace Gateway.Tests.Links;

public class BundleLinkTests
{
    [Fact]
    public void A_packed_manifest_survives_a_round_trip() =>
        Gen.Select(Gen.Byte.Array[1, 5000], Gen.Bool, Gen.Bool, Gen.Byte.Array[16], Gen.Bool).Sample((manifest, carriesRights, mayCarryRights, version, isPinned) =>
        {
            var etag = isPinned ? $"\"{Convert.ToHexStringLower(version)}\"" : null;
            var link = BundleLink.From(BundleLink.Pack(manifest, carriesRights, etag), mayCarryRights)!;
            return link.ETag == etag && link.MaxContentBytes == manifest.Length && link.CarriesRights == (carriesRights && mayCarryRights) && link.Unpack().AsSpan().SequenceEqual(manifest);
        });

    [Fact]
    public void Any_packed_bytes_are_a_link_no_larger_than_declared_or_rejected() =>
        Gen.Byte.Array[0, 200].Sample(packed =>
        {
            try
            {
                return BundleLink.From(packed, mayCarryRights: true) is not { } link
                    || (link.MaxContentBytes is > 0 and <= BundleLink.MaxManifestBytes && (link.MaxContentBytes > 1 << 16 || link.Unpack().Length <= link.MaxContentBytes));
            }
            catch (LinkException e)
            {
                return e.Fault == LinkFault.Unknown;
            }
        });

    [Theory]
    [InlineData(1000)]
    [InlineData(BundleLink.MaxManifestBytes)]
    public void A_brotli_bomb_costs_no_more_than_the_largest_link(int length)
    {
        byte[] packed = [0, .. BitConverter.GetBytes(length), .. Bomb(256 << 20)];
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Equal(LinkFault.Unknown, Assert.Throws<LinkException>(() => BundleLink.From(packed, mayCarryRights: false)!.Unpack()).Fault);
        Assert.Equal(LinkFault.Unknown, Assert.Throws<LinkException>(() => BundleLink.FromVersion1(packed[5..]).Unpack()).Fault);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 3 * BundleLink.MaxManifestBytes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(BundleLink.MaxManifestBytes + 1)]
    [InlineData(int.MaxValue)]
    public void A_link_that_declares_more_than_the_maximum_is_rejected(int length) =>
        Assert.Null(BundleLink.From([0, .. BitConverter.GetBytes(length), .. Bomb(10)], mayCarryRights: true));

    [Fact]
    public void A_link_with_unknown_flags_is_rejected() =>
        Assert.Null(BundleLink.From([4, .. BundleLink.Pack("x"u8, carriesRights: true, etag: null)[1..]], mayCarryRights: true));

    [Fact]
    public void The_maximum_size_of_a_manifest_is_the_same_for_links_and_bodies() => Assert.Equal(BundleFields.MaxBodyBytes, BundleLink.MaxManifestBytes);

    [Theory]
    [InlineData("é")]
    [InlineData("日本")]
    [InlineData("+&<>'")]
    public void A_manifest_is_stored_as_short_as_it_was_sent(string text)
    {
        var json = $$"""{"name":"bundle","format":"tar.gz","missing":"fail","entries":[{{string.Join(',', Enumerable.Repeat($$"""{"id":"s/{{text}}{{text}}","name":"{{text}}"}""", 100))}}]}""";
        var fields = BundleFields.FromManifest(Encoding.UTF8.GetBytes(json), 1000);

        var bytes = BundleManifest.From(fields).ToBytes();

        Assert.Equal(json, Encoding.UTF8.GetString(bytes));
        Assert.Equal(fields.Entries, BundleFields.FromManifest(bytes, 1000).Entries);
    }

    private static byte[] Bomb(int length)
    {
        using var packed = new MemoryStream();
        using (var brotli = new BrotliStream(packed, CompressionLevel.Fastest))
        {
            var zeros = new byte[1 << 16];
            for (var rest = length; rest > 0; rest -= zeros.Length)
            {
                brotli.Write(zeros, 0, Math.Min(rest, zeros.Length));
            }
        }

        return packed.ToArray();
    }
}
