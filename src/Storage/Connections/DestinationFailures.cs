using Gateway.Storage.Failures;

namespace Gateway.Storage.Connections;

/// <summary>
/// Decides which failures count against a destination. One broken object proves nothing about other objects, so it counts once within
/// the interval, however often it is requested. If several objects have failed in that time, every failure counts.
/// </summary>
/// <remarks>Memory: the paths of at most 100 objects.</remarks>
/// <param name="time">The clock.</param>
internal sealed class DestinationFailures(TimeProvider time)
{
    /// <summary>How long a failure is remembered. It is also the sampling time of the circuit breaker.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    // If this many objects fail, the destination is at fault, not the objects.
    private const int ManyObjects = 5;
    private const int MaxObjects = 100;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _objects = new(StringComparer.Ordinal);

    /// <param name="reason">Why the attempt failed.</param>
    /// <param name="path">The object's path in storage.</param>
    public bool Count(FailureReason reason, string path) => reason.Extent switch
    {
        FailureExtent.Destination => true,
        FailureExtent.SingleObject => CountObject(path),
        _ => false,
    };

    /// <param name="path">The path in storage of an object that failed.</param>
    public bool CountObject(string path)
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            foreach (var (old, failed) in _objects)
            {
                if (time.GetElapsedTime(failed, now) >= Window)
                {
                    _objects.Remove(old);
                }
            }

            var isFirst = !_objects.ContainsKey(path);
            if (isFirst && _objects.Count < MaxObjects)
            {
                _objects.Add(path, now);
            }

            return isFirst || _objects.Count >= ManyObjects;
        }
    }
}
