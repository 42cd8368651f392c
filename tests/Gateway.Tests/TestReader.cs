using Gateway.Storage.Failures;
using Gateway.Storage.Objects;

namespace Gateway.Tests;

/// <summary>An object that counts how often it is closed.</summary>
internal sealed class TestReader : IObjectReader
{
    public int Closed { get; private set; }

    public ObjectHead Head { get; init; } = TestBundle.Head();

    public bool IsPreloaded => false;

    public ValueTask<int> ReadAsync(Memory<byte> buffer) => new(0);

    public byte[]? HashPreloaded() => null;

    public Task PrepareAsync(ByteBudget budget, long smallObject) => Task.CompletedTask;

    public Task LearnSizeAsync(ByteBudget budget) => Task.CompletedTask;

    public void Note(StorageException failure)
    {
    }

    public ValueTask ReleaseAsync() => ValueTask.CompletedTask;

    public void PauseReading()
    {
    }

    public void ResumeReading()
    {
    }

    public void StartRanges(ByteBudget budget)
    {
    }

    public ValueTask DisposeAsync()
    {
        Closed++;
        return ValueTask.CompletedTask;
    }
}
