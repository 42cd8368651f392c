using System.IO.Pipelines;

namespace Gateway.Archiving;

/// <summary>
/// A <see cref="PipeWriter"/> that writes a format to another one. Only <see cref="FinishAsync"/> writes the end of the format.
/// Completing, abandoning or losing the writer never does, so a truncated archive is always distinguishable from a complete
/// one.
/// </summary>
public abstract class FormatWriter : PipeWriter
{
    /// <summary>Creates a writer for <paramref name="output"/>, which still belongs to the caller: it is flushed, never completed.</summary>
    /// <param name="output">The destination of the format's bytes, for instance the <c>BodyWriter</c> of a response.</param>
    protected FormatWriter(PipeWriter output)
    {
        ArgumentNullException.ThrowIfNull(output);
        Output = output;
    }

    /// <summary>The next writer on the way to the client.</summary>
    protected PipeWriter Output { get; }

    /// <summary>
    /// Writes the end of the format and flushes it. Nothing more can be written afterwards. After an error the output lacks
    /// its end; abort it.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait for a slow output, which then lacks its end.</param>
    /// <returns>The result of the output's flush; <see cref="FlushResult.IsCompleted"/> is true if its reader has completed.</returns>
    public abstract ValueTask<FlushResult> FinishAsync(CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => Output.CancelPendingFlush();

    /// <summary>Finishes the output if its format has an end, and flushes it.</summary>
    protected ValueTask<FlushResult> FinishOutputAsync(CancellationToken cancellationToken) =>
        Output is FormatWriter format ? format.FinishAsync(cancellationToken) : Output.FlushAsync(cancellationToken);
}
