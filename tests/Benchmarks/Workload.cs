using System.Globalization;
using System.Text;
using Testing;

namespace Benchmarks;

/// <summary>Objects in storage that are asked for together.</summary>
internal sealed record Workload(string Name, IReadOnlyList<string> Keys, long Bytes)
{
    private const int Megabyte = 1 << 20;

    public static Workload Random(string root) => Large(root, "random", 8, 64 * Megabyte, (i, bytes) => new Random(i).NextBytes(bytes));

    public static Workload Text(string root) => Large(root, "text", 4, 64 * Megabyte, WriteLog);

    public static Workload Small(string root)
    {
        const int Count = 5000;
        var random = new Random(5000);
        var keys = new List<string>();
        var total = 0L;
        Directory.CreateDirectory(Path.Combine(root, "small"));
        for (var i = 0; i < Count; i++)
        {
            var bytes = new ObjectContent(random.Next(4096, 16385), i).ToArray();
            var key = string.Create(CultureInfo.InvariantCulture, $"small/{i:d5}");
            File.WriteAllBytes(Path.Combine(root, key), bytes);
            keys.Add(key);
            total += bytes.Length;
        }

        return new Workload("5,000 small", keys, total);
    }

    /// <summary>Lines as a service logs them: much that repeats, numbers that do not.</summary>
    public static byte[] Log(int seed, int size)
    {
        var bytes = new byte[size];
        WriteLog(seed, bytes);
        return bytes;
    }

    private static Workload Large(string root, string name, int count, int size, Action<int, byte[]> fill)
    {
        var bytes = new byte[size];
        var keys = new List<string>();
        for (var i = 0; i < count; i++)
        {
            fill(i, bytes);
            var key = $"{name}-{i}";
            File.WriteAllBytes(Path.Combine(root, key), bytes);
            keys.Add(key);
        }

        return new Workload(name, keys, (long)count * size);
    }

    private static void WriteLog(int seed, byte[] bytes)
    {
        var random = new Random(seed);
        var words = "request served upstream object bundle cache miss hit slow retry client closed stream entry".Split(' ');
        var line = new StringBuilder();
        for (var at = 0; at < bytes.Length;)
        {
            line.Clear().Append(CultureInfo.InvariantCulture, $"2026-11-{random.Next(1, 31):d2}T{random.Next(24):d2}:{random.Next(60):d2}:{random.Next(60):d2}.{random.Next(1000):d3}Z info id={random.NextInt64():x16}");
            for (var i = random.Next(4, 12); i > 0; i--)
            {
                line.Append(' ').Append(words[random.Next(words.Length)]);
            }

            line.Append(CultureInfo.InvariantCulture, $" bytes={random.Next(1_000_000)} ms={random.Next(5000)}\n");
            at += Encoding.ASCII.GetBytes(line.ToString().AsSpan(0, Math.Min(line.Length, bytes.Length - at)), bytes.AsSpan(at));
        }
    }
}
