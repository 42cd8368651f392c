using Gateway.Responses;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Responses;

public class ReprDigestTests
{
    [Theory]
    [InlineData("TE", "trailers", true)]
    [InlineData("TE", "gzip, Trailers", true)]
    [InlineData("TE", "gzip;q=0.5", false)]
    [InlineData("Want-Repr-Digest", "sha-256=1", true)]
    [InlineData("Want-Repr-Digest", "sha-512=3, sha-256=10", true)]
    [InlineData("Want-Repr-Digest", "sha-256=0", false)]
    [InlineData("Want-Repr-Digest", "SHA-256=0", false)]
    [InlineData("Want-Repr-Digest", "sha-512=1", false)]
    [InlineData("Want-Digest", "sha-256=1", false)]
    [InlineData("TE", "", false)]
    public void A_client_requests_it_by_accepting_trailers_or_by_asking_for_it(string name, string value, bool expected)
    {
        var request = new DefaultHttpContext().Request;

        request.Headers[name] = value;

        Assert.Equal(expected, ReprDigest.IsRequested(request));
    }

    [Fact]
    public void A_second_line_of_the_header_counts_too()
    {
        var request = new DefaultHttpContext().Request;

        request.Headers["Want-Repr-Digest"] = new(["sha-512=1", "sha-256=1"]);

        Assert.True(ReprDigest.IsRequested(request));
    }

    [Fact]
    public void It_is_a_byte_sequence_in_a_dictionary() =>
        Assert.Equal("sha-256=:AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:", ReprDigest.Format([1, 2, 3, .. new byte[29]]));
}
