using System.Globalization;
using System.Runtime.InteropServices;

namespace Fuzz;

/// <summary>
/// Mutates inputs at random, and keeps those that reach new code for further mutation. SharpFuzz's
/// instrumentation counts the edges that were reached, like AFL, in a map of 64 KiB that belongs to this process.
/// </summary>
internal static unsafe class Fuzzer
{
    private const int MapSize = 1 << 16;
    private const int MaxLength = 4096;
    private const int MostFindings = 20;

    // No input of a few KiB justifies this much time.
    private static readonly TimeSpan TooLong = TimeSpan.FromSeconds(2);

    /// <summary>Runs one target, and reports what it found.</summary>
    /// <returns>The number of findings.</returns>
    public static int Run(FuzzTarget target, TimeSpan time, int seed)
    {
        var map = (byte*)NativeMemory.AllocZeroed(MapSize);
        SharpFuzz.Common.Trace.SharedMem = map;
        var seen = new byte[MapSize];
        var (random, corpus, findings) = (new Random(seed), new List<byte[]>(), new HashSet<string>());
        var started = TimeProvider.System.GetTimestamp();
        var runs = 0L;
        foreach (var input in Corpus.Of(target.Name))
        {
            Try(input, isSeed: true);
        }

        var seeds = corpus.Count;
        while (TimeProvider.System.GetElapsedTime(started) < time && findings.Count < MostFindings)
        {
            Try(Mutator.Mutate(random, corpus, MaxLength), isSeed: false);
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{target.Name}: {runs} inputs, {runs / TimeProvider.System.GetElapsedTime(started).TotalSeconds:0} a second, {seen.Count(edge => edge != 0)} edges, {corpus.Count - seeds} inputs beyond {seeds} seeds, {findings.Count} findings"));
        return findings.Count;

        void Try(byte[] input, bool isSeed)
        {
            runs++;
            new Span<byte>(map, MapSize).Clear();
            var began = TimeProvider.System.GetTimestamp();
            var fault = target.FaultOf(input) ?? (TimeProvider.System.GetElapsedTime(began) > TooLong ? "it takes too long" : null);
            if (fault is not null && findings.Add(fault.Split('\n')[0]))
            {
                // In the format of the corpus, so that it can be added there.
                Console.WriteLine($"FINDING {target.Name}: {fault}\n{Corpus.ToLine(input)}");
            }

            if (IsNew(new ReadOnlySpan<byte>(map, MapSize), seen) || isSeed)
            {
                corpus.Add(input);
            }
        }
    }

    /// <summary>Whether an edge was reached for the first time, or more often than before.</summary>
    private static bool IsNew(ReadOnlySpan<byte> map, byte[] seen)
    {
        var isNew = false;
        for (var at = map.IndexOfAnyExcept((byte)0); at >= 0;)
        {
            var bucket = (byte)(1 << Math.Min(7, int.Log2(map[at])));
            isNew |= (seen[at] & bucket) == 0;
            seen[at] |= bucket;
            var next = map[(at + 1)..].IndexOfAnyExcept((byte)0);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return isNew;
    }
}
