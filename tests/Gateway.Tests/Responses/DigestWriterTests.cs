using System.IO.Pipelines;
using System.Security.Cryptography;
using Gateway.Responses;

namespace Gateway.Tests.Responses;

public class DigestWriterTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 10_000).Select(i => (byte)(i * 7))];

    [Fact]
    public async Task What_reaches_the_client_is_what_was_hashed()
    {
        using var stream = new MemoryStream();
        using var writer = new DigestWriter(PipeWriter.Create(stream));

        foreach (var part in Content.Chunk(999))
        {
            part.CopyTo(writer.GetSpan(part.Length));
            writer.Advance(part.Length);
        }

        await writer.FlushAsync();
        Assert.Equal(Content, stream.ToArray());
        Assert.Equal(SHA256.HashData(Content), writer.Hash);
    }

    [Fact]
    public void A_buffer_may_be_filled_in_several_steps()
    {
        using var writer = new DigestWriter(PipeWriter.Create(Stream.Null));
        Content.AsSpan(..100).CopyTo(writer.GetSpan(100));

        writer.Advance(30);
        writer.Advance(0);
        writer.Advance(70);

        Assert.Equal(SHA256.HashData(Content.AsSpan(..100)), writer.Hash);
    }

    [Fact]
    public void The_hash_so_far_can_be_read_at_any_time()
    {
        using var writer = new DigestWriter(PipeWriter.Create(Stream.Null));
        Assert.Equal(SHA256.HashData([]), writer.Hash);

        writer.GetSpan(1)[0] = 1;
        writer.Advance(1);
        Assert.Equal(SHA256.HashData([1]), writer.Hash);
        writer.GetSpan(1)[0] = 2;
        writer.Advance(1);

        Assert.Equal(SHA256.HashData([1, 2]), writer.Hash);
    }

    [Fact]
    public async Task Completing_it_does_not_complete_the_response()
    {
        using var stream = new MemoryStream();
        var client = PipeWriter.Create(stream);
        using var writer = new DigestWriter(client);

        await writer.CompleteAsync();
        await client.WriteAsync(new byte[] { 1 });

        Assert.Equal([1], stream.ToArray());
    }
}
