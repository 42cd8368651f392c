using Gateway.Caching;

namespace Gateway.Tests.Caching;

public class CacheEntrySignerTests
{
    private static readonly byte[] One = [.. Enumerable.Repeat((byte)1, 32)];
    private static readonly byte[] Two = [.. Enumerable.Repeat((byte)2, 32)];
    private static readonly DateTimeOffset Expires = new(2026, 12, 1, 2, 3, 4, TimeSpan.Zero);
    private static readonly DateTimeOffset Before = Expires.AddMilliseconds(-1);

    [Fact]
    public void Only_an_entry_signed_under_its_own_key_is_accepted()
    {
        var entry = new CacheEntrySigner([One]).Sign("key", Expires, "value"u8);

        Assert.Equal(5 + CacheEntrySigner.Overhead, entry.Length);
        Assert.Equal("value"u8.ToArray(), new CacheEntrySigner([Two, One]).Open("key", entry, Before));
        Assert.Null(new CacheEntrySigner([One]).Open("other", entry, Before));
        Assert.Null(new CacheEntrySigner([Two]).Open("key", entry, Before));
        Assert.Null(new CacheEntrySigner([One]).Open("key", null, Before));
        for (var i = 0; i < entry.Length; i++)
        {
            var damaged = entry.ToArray();
            damaged[i] ^= 1;
            Assert.Null(new CacheEntrySigner([One]).Open("key", damaged, DateTimeOffset.UnixEpoch));
            Assert.Null(new CacheEntrySigner([One]).Open("key", entry[..i], DateTimeOffset.UnixEpoch));
        }
    }

    [Fact]
    public void An_entry_is_valid_until_it_expires_regardless_of_the_store()
    {
        var entry = new CacheEntrySigner([One]).Sign("key", Expires, []);

        Assert.Empty(new CacheEntrySigner([One]).Open("key", entry, Before)!);
        Assert.Null(new CacheEntrySigner([One]).Open("key", entry, Expires));
    }
}
