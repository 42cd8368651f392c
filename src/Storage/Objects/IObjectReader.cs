using Gateway.Storage.Failures;

namespace Gateway.Storage.Objects;

/// <summary>The bytes of one entry, in order: those that storage holds (<see cref="ObjectReader"/>), or those decoded (<see cref="DecodingReader"/>).
/// One caller at a time.</summary>
public interface IObjectReader : IAsyncDisposable
{
    /// <summary>What is read.</summary>
    ObjectHead Head { get; }

    /// <summary>Whether the object is in memory, whole, and has the checksums that storage reported.</summary>
    bool IsPreloaded { get; }

    /// <summary>Reads at least one byte. Returns 0 only when the whole object or part has been read.</summary>
    /// <exception cref="StorageException">The rest cannot be had, or there is more than declared.</exception>
    ValueTask<int> ReadAsync(Memory<byte> buffer);

    /// <summary>The SHA-256 of the object, if it is in memory as it is stored; otherwise null.</summary>
    byte[]? HashPreloaded();

    /// <summary>What belongs to opening an object before it is needed: learns its size, or reads it into memory if it is small.</summary>
    /// <param name="budget">Memory for it.</param>
    /// <param name="smallObject">Bytes of a small object at most.</param>
    /// <exception cref="StorageException">It cannot be read.</exception>
    Task PrepareAsync(ByteBudget budget, long smallObject);

    /// <summary>Reads an object into memory to learn its size, where <see cref="Head"/> has none.</summary>
    /// <exception cref="StorageException">It is larger than the budget.</exception>
    Task LearnSizeAsync(ByteBudget budget);

    /// <summary>Notes that a failure is about what was read here.</summary>
    void Note(StorageException failure);

    /// <summary>
    /// Closes the connection to storage while nobody reads. The next read continues at the same byte, in the same version. The reader keeps its
    /// connection if the object could not be continued, if little of it is left, or if it is a file. Storage sees a client that leaves, and
    /// no failure.
    /// </summary>
    /// <remarks>Not while a read is running.</remarks>
    ValueTask ReleaseAsync();

    /// <summary>The body is not read for a while: other requests may take its place at storage.</summary>
    void Pause();

    /// <summary>The body is read on.</summary>
    void GoOn();

    /// <summary>Now it is this object's turn: asks for its later parts, too, where its source wants that.</summary>
    /// <param name="budget">Memory for them.</param>
    void StartRanges(ByteBudget budget);
}
