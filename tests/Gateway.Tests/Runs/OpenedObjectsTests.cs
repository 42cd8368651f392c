using Gateway.Runs;

namespace Gateway.Tests.Runs;

public sealed class OpenedObjectsTests : IAsyncDisposable
{
    private readonly OpenedObjects _opened = new();
    private readonly TestReader _reader = new();

    public ValueTask DisposeAsync() => _opened.DisposeAsync();

    [Fact]
    public void A_reader_is_found_by_its_entry_as_often_as_wanted()
    {
        _opened.Add(3, _reader);

        Assert.Same(_reader, _opened.Find(3));
        Assert.Same(_reader, _opened.Find(3));
        Assert.Null(_opened.Find(2));
    }

    [Fact]
    public async Task A_reader_that_was_taken_belongs_to_its_new_owner()
    {
        _opened.Add(3, _reader);

        Assert.Same(_reader, _opened.Take(3));
        Assert.Null(_opened.Take(3));
        Assert.Null(_opened.Find(3));
        await _opened.DisposeAsync();

        Assert.Equal(0, _reader.Closed);
    }

    [Fact]
    public async Task The_others_are_closed_once()
    {
        var second = new TestReader();
        _opened.Add(0, _reader);
        _opened.Add(1, second);

        await _opened.DisposeAsync();
        await _opened.DisposeAsync();

        Assert.Equal((1, 1), (_reader.Closed, second.Closed));
    }

    [Fact]
    public async Task After_being_closed_it_can_be_filled_again()
    {
        await _opened.DisposeAsync();

        _opened.Add(0, _reader);
        await _opened.DisposeAsync();

        Assert.Equal(1, _reader.Closed);
    }
}
