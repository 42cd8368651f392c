using Gateway.Storage.Failures;

namespace Gateway.Storage.Objects;

/// <summary>The bytes of one entry, in order: as stored (<see cref="ObjectReader"/>), or decoded (<see cref="DecodingReader"/>).
/// Not thread-safe.</summary>
public interface IObjectReader : IAsyncDisposable
{
    /// <summary>The object that is read.</summary>
    ObjectHead Head { get; }

    /// <summary>Whether the whole object is in memory and matches the checksums that storage reported.</summary>
    bool IsPreloaded { get; }

    /// <summary>Reads at least one byte. Returns 0 only when the whole object or part has been read.</summary>
    /// <exception cref="StorageException">The remainder cannot be read, or there is more than declared.</exception>
    ValueTask<int> ReadAsync(Memory<byte> buffer);

    /// <summary>The SHA-256 of the object, if it is in memory as it is stored; otherwise null.</summary>
    byte[]? HashPreloaded();

    /// <summary>What belongs to opening an object before it is needed: learns its size, or reads it into memory if it is small.</summary>
    /// <param name="budget">Memory for it.</param>
    /// <param name="smallObject">Bytes of a small object at most.</param>
    /// <exception cref="StorageException">It cannot be read.</exception>
    Task PrepareAsync(ByteBudget budget, long smallObject);

    /// <summary>Reads an object into memory to determine its size, if <see cref="Head"/> has none.</summary>
    /// <exception cref="StorageException">It is larger than the budget.</exception>
    Task LearnSizeAsync(ByteBudget budget);

    /// <summary>Attributes a failure to the object that was read here.</summary>
    void Note(StorageException failure);

    /// <summary>
    /// Closes the connection to storage during a pause. The next read continues at the same byte, in the same version. The reader keeps its
    /// connection if the object cannot be continued, if little of it remains, or if it is a file. Storage sees a client that disconnects, not
    /// a failure.
    /// </summary>
    /// <remarks>Must not be called during a read.</remarks>
    ValueTask ReleaseAsync();

    /// <summary>Reports a pause in reading the body: its slot at the destination is free for other requests.</summary>
    void PauseReading();

    /// <summary>Reports that reading the body continues.</summary>
    void ResumeReading();

    /// <summary>Called when the object is next in the archive: requests its later parts too, if its source is configured so.</summary>
    /// <param name="budget">Memory for them.</param>
    void StartRanges(ByteBudget budget);
}
