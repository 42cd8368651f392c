using System.Buffers;
using Gateway.Storage.Failures;

namespace Gateway.Storage.Objects;

/// <summary>What all readers can do.</summary>
public static class ObjectReaderExtensions
{
    /// <summary>Reads and discards bytes. Disposes of the reader if they cannot be read.</summary>
    /// <exception cref="StorageException">They cannot be read.</exception>
    public static async Task DropAsync(this IObjectReader reader, long bytes)
    {
        if (bytes == 0)
        {
            return;
        }

        var dropped = ArrayPool<byte>.Shared.Rent(ObjectReader.SkipBuffer);
        try
        {
            for (var count = 1; bytes > 0 && count > 0; bytes -= count)
            {
                count = await reader.ReadAsync(dropped.AsMemory(0, (int)Math.Min(dropped.Length, bytes)));
            }
        }
        catch
        {
            await reader.DisposeAsync();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(dropped);
        }
    }
}
