using System.IO.Pipelines;
using System.Security.Cryptography;

namespace Gateway.Responses;

/// <summary>Hashes an archive on its way to a client that requests its digest (RFC 9530).</summary>
internal sealed class DigestWriter(PipeWriter client) : PipeWriter, IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private Memory<byte> _memory;

    /// <summary>SHA-256 of everything written so far.</summary>
    public byte[] Hash => _hash.GetCurrentHash();

    public override Memory<byte> GetMemory(int sizeHint = 0) => _memory = client.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        _hash.AppendData(_memory.Span[..bytes]);
        _memory = _memory[bytes..];
        client.Advance(bytes);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => client.FlushAsync(cancellationToken);

    public override void CancelPendingFlush() => client.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        // The client's writer belongs to the caller.
    }

    public void Dispose() => _hash.Dispose();
}
