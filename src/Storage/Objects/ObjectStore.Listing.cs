using Gateway.Storage.Checksums;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Sources;

namespace Gateway.Storage.Objects;

/// <content>Listing what is under a prefix.</content>
public sealed partial class ObjectStore
{
    /// <summary>Requests one page of a listing through the source's route, so that its balancing, retries and timeouts apply.</summary>
    /// <param name="prefix">The source, and a key that ends in a slash or is empty.</param>
    /// <param name="request">The page.</param>
    /// <param name="counters">Counts attempts.</param>
    /// <param name="cancellationToken">Cancels everything.</param>
    /// <exception cref="StorageException"><see cref="FailureReason.NotFound"/>: there is no such folder; or storage fails.</exception>
    public Task<ListingPage> ListAsync(ObjectRequest prefix, ListingRequest request, TransferCounters counters, CancellationToken cancellationToken)
    {
        var state = new RetryState(prefix.Source, counters);
        return RepeatAsync(
            state,
            token =>
            {
                var exchange = new ListingExchange(request);
                return AttemptAsync(
                    prefix with { IsExact = true },
                    new(HttpMethods.Get, Listing: exchange),
                    state,
                    async attempt =>
                    {
                        await using (attempt)
                        {
                            return attempt.StatusCode == StatusCodes.Status200OK
                                ? exchange.Page ?? throw new StorageException(FailureReason.InvalidListing, "This storage cannot list.")
                                : throw ResponseValidator.Refuse(attempt, Time);
                        }
                    },
                    token);
            },
            cancellationToken);
    }

    /// <summary>What a listing returned, as the description of an object whose version is known.</summary>
    public static ObjectHead Describe(ListedObject listed) => new(
        listed.Size, listed.ETag, listed.Modified, listed.Md5 is { } md5 ? new ObjectChecksums([new Checksum(ChecksumKind.Md5, md5)]) : null)
    { IsFromListing = true, Encoding = listed.Encoding };
}
