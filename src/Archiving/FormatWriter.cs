using System.IO.Pipelines;

namespace Gateway.Archiving;

/// <summary>
/// A <see cref="PipeWriter"/> in front of another one, whose format has an end that must be earned: only
/// <see cref="FinishAsync"/> writes it. Completing, forgetting or losing the writer never does, so an archive that was cut
/// short can always be told from a whole one.
/// </summary>
public abstract class FormatWriter : PipeWriter
{
    /// <summary>Makes a writer in front of <paramref name="output"/>, which stays its owner's: it is flushed, never completed.</summary>
    /// <param name="output">Where the format's bytes go, for instance the <c>BodyWriter</c> of a response.</param>
    protected FormatWriter(PipeWriter output)
    {
        ArgumentNullException.ThrowIfNull(output);
        Output = output;
    }

    /// <summary>The next writer on the way to the client.</summary>
    protected PipeWriter Output { get; }

    /// <summary>
    /// Writes the end of the format and flushes it. Afterwards nothing more can be written. An error leaves the output without
    /// its end; abort it.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait for a slow output; the output is then without its end.</param>
    /// <returns>What the output's own flush returned; <see cref="FlushResult.IsCompleted"/> tells that its reader has gone.</returns>
    public abstract ValueTask<FlushResult> FinishAsync(CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => Output.CancelPendingFlush();

    /// <summary>Finishes the output if it has an end of its own, and flushes it.</summary>
    protected ValueTask<FlushResult> FinishOutputAsync(CancellationToken cancellationToken) =>
        Output is FormatWriter format ? format.FinishAsync(cancellationToken) : Output.FlushAsync(cancellationToken);
}
