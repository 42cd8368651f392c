using System.Security.Cryptography;
using Gateway.Links;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Links;

public class BundleLinksTests
{
    private static readonly byte[] Small = "{\"entries\":[{\"id\":\"s/a\"}]}"u8.ToArray();
    private static readonly byte[] Large = RandomNumberGenerator.GetBytes(5000);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly BundleLinkOptions _options = new() { Keys = { Convert.ToBase64String(new byte[32]) }, CarryRights = true };
    private readonly Store _store = new();
    private readonly BundleLinks _links;

    public BundleLinksTests() => _links = Create(_options);

    private DateTimeOffset Expires => _time.GetUtcNow().AddHours(1);

    [Fact]
    public async Task A_small_manifest_is_in_the_link_itself()
    {
        var token = await CreateAsync(Small, etag: "\"00112233445566778899aabbccddeeff\"");

        var link = await FindAsync(token);

        Assert.StartsWith("e", token, StringComparison.Ordinal);
        Assert.Empty(_store.Links);
        Assert.Equal(Small, link.Unpack());
        Assert.Equal((true, "\"00112233445566778899aabbccddeeff\""), (link.CarriesRights, link.ETag));
    }

    [Fact]
    public async Task A_large_manifest_is_stored_under_a_name_that_does_not_reveal_the_link()
    {
        var token = await CreateAsync(Large);

        var link = await FindAsync(token);

        Assert.Matches("^s[A-Za-z0-9_-]{43}$", token);
        Assert.Equal(Large, link.Unpack());
        var (name, stored) = Assert.Single(_store.Links);
        Assert.DoesNotContain(token[1..], name, StringComparison.Ordinal);
        Assert.Equal((Expires, "client"), (stored.Expires, stored.Client));
    }

    [Fact]
    public async Task Every_link_in_a_URL_has_at_most_1901_characters()
    {
        var random = new Random(1);
        for (var length = 1300; length < 1450; length++)
        {
            var manifest = new byte[length];
            random.NextBytes(manifest);

            Assert.InRange((await CreateAsync(manifest)).Length, 44, 1901);
        }

        Assert.InRange(_store.Links.Count, 1, 149);
    }

    [Fact]
    public async Task A_link_in_a_URL_expires()
    {
        var token = await CreateAsync(Small);

        _time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        await FindAsync(token);
        _time.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(LinkFault.Expired, await FaultAsync(token));
    }

    [Fact]
    public async Task A_link_that_was_changed_does_not_exist()
    {
        var token = await CreateAsync(Small);

        Assert.All(
            await Task.WhenAll(Enumerable.Range(0, token.Length - 1).Select(at => FaultAsync(token[..at] + (token[at] == 'A' ? 'B' : 'A') + token[(at + 1)..]))),
            fault => Assert.Equal(LinkFault.Unknown, fault));
    }

    [Theory]
    [InlineData("")]
    [InlineData("e")]
    [InlineData("s")]
    [InlineData("sAAAA")]
    [InlineData("m")]
    [InlineData("x0123456789")]
    [InlineData("sAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task Any_other_token_does_not_exist(string token) => Assert.Equal(LinkFault.Unknown, await FaultAsync(token));

    [Fact]
    public async Task After_a_rotation_links_of_the_old_key_are_still_valid()
    {
        var token = await CreateAsync(Small);
        var rotated = Create(new BundleLinkOptions { Keys = { Convert.ToBase64String([.. Enumerable.Repeat((byte)1, 32)]), _options.Keys[0] } });
        var removed = Create(new BundleLinkOptions { Keys = { Convert.ToBase64String([.. Enumerable.Repeat((byte)1, 32)]) } });

        Assert.Equal(Small, (await rotated.FindAsync(token, CancellationToken.None)).Unpack());

        Assert.Equal(LinkFault.Unknown, (await Assert.ThrowsAsync<LinkException>(() => removed.FindAsync(token, CancellationToken.None))).Fault);
    }

    [Fact]
    public async Task A_link_gives_rights_only_while_the_operator_permits_it()
    {
        var token = await CreateAsync(Small);

        _options.CarryRights = false;

        Assert.False((await FindAsync(token)).CarriesRights);
    }

    [Fact]
    public async Task A_manifest_that_is_too_large_is_refused_before_it_is_stored()
    {
        _options.MaxBytesPerClient = 4000;

        Assert.Equal(LinkFault.TooLarge, (await Assert.ThrowsAsync<LinkException>(() => CreateAsync(new byte[(8 << 20) + 1]))).Fault);
        Assert.Equal(LinkFault.TooLarge, (await Assert.ThrowsAsync<LinkException>(() => CreateAsync(Large))).Fault);

        Assert.Empty(_store.Links);
    }

    [Fact]
    public async Task A_store_that_fails_is_unavailable_and_one_that_is_full_says_so()
    {
        _store.Failure = new IOException("down");
        Assert.Equal(LinkFault.StoreUnavailable, (await Assert.ThrowsAsync<LinkException>(() => CreateAsync(Large))).Fault);

        _store.Failure = new LinkException(LinkFault.NoRoom);

        Assert.Same(_store.Failure, await Assert.ThrowsAsync<LinkException>(() => CreateAsync(Large)));
    }

    [Fact]
    public async Task A_store_that_does_not_answer_is_waited_for_for_two_seconds()
    {
        _store.IsSilent = true;
        var creating = CreateAsync(Large);

        _time.Advance(TimeSpan.FromSeconds(2) - TimeSpan.FromTicks(1));
        Assert.False(creating.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(LinkFault.StoreUnavailable, (await Assert.ThrowsAsync<LinkException>(() => creating)).Fault);
    }

    [Fact]
    public async Task A_client_that_leaves_is_no_fault_of_the_store()
    {
        _store.IsSilent = true;
        using var leave = new CancellationTokenSource();
        var creating = _links.CreateAsync(Large, null, Expires, "client", leave.Token);

        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => creating);
    }

    [Fact]
    public async Task Without_keys_a_link_is_valid_only_in_the_process_that_made_it()
    {
        var (one, other) = (Create(new BundleLinkOptions()), Create(new BundleLinkOptions()));

        var token = await one.CreateAsync(Small, null, Expires, "client", CancellationToken.None);

        Assert.Equal(Small, (await one.FindAsync(token, CancellationToken.None)).Unpack());
        Assert.Equal(LinkFault.Unknown, (await Assert.ThrowsAsync<LinkException>(() => other.FindAsync(token, CancellationToken.None))).Fault);
    }

    private BundleLinks Create(BundleLinkOptions options) => new(_store, new LinkKeys(Options.Create(options)), Options.Create(options), _time);

    private Task<string> CreateAsync(byte[] manifest, string? etag = null) => _links.CreateAsync(manifest, etag, Expires, "client", CancellationToken.None);

    private Task<BundleLink> FindAsync(string token) => _links.FindAsync(token, CancellationToken.None);

    private async Task<LinkFault> FaultAsync(string token) => (await Assert.ThrowsAsync<LinkException>(() => FindAsync(token))).Fault;

    private sealed class Store : ILinkStore
    {
        public Dictionary<string, (byte[] Packed, DateTimeOffset Expires, string Client)> Links { get; } = [];

        public Exception? Failure { get; set; }

        public bool IsSilent { get; set; }

        public Task AddAsync(string name, byte[] packed, DateTimeOffset expires, string client)
        {
            if (Failure is not null)
            {
                return Task.FromException(Failure);
            }

            Links.Add(name, (packed, expires, client));
            return IsSilent ? new TaskCompletionSource().Task : Task.CompletedTask;
        }

        public Task<byte[]?> FindAsync(string name) => Task.FromResult(Links.TryGetValue(name, out var link) ? link.Packed : null);
    }
}
