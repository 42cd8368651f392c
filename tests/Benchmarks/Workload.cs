using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Testing;

namespace Benchmarks;

/// <summary>Objects in storage that are requested together.</summary>
internal sealed record Workload(string Name, IReadOnlyList<string> Keys, long Bytes)
{
    private const int Megabyte = 1 << 20;

    public static Workload Random(string root) => Large(root, "random", 4, 64 * Megabyte, (i, bytes) => new Random(i).NextBytes(bytes));

    /// <summary>Records like the responses of a service.</summary>
    public static Workload Json(string root) => Large(root, "json", 2, 64 * Megabyte, WriteJson);

    /// <summary>Programs: the runtime's own assemblies, repeated from different offsets.</summary>
    public static Workload Binaries(string root) => Large(root, "binaries", 2, 64 * Megabyte, Fill("binaries"));

    /// <summary>One object of random bytes.</summary>
    public static Workload Huge(string root, long size)
    {
        var piece = RandomNumberGenerator.GetBytes(64 * Megabyte);
        using var file = File.Create(Path.Combine(root, "huge"));
        for (var at = 0L; at < size; at += piece.Length)
        {
            file.Write(piece, 0, (int)Math.Min(piece.Length, size - at));
        }

        return new Workload("huge", ["huge"], size);
    }

    /// <summary>Some of everything.</summary>
    public static Workload Mixed(params Workload[] others)
    {
        string[] keys = [.. others.SelectMany(other => other.Keys.Take(1))];
        return new Workload("mixed", keys, others.Sum(other => other.Bytes / other.Keys.Count));
    }

    /// <summary>Documentation of the SDK's packs.</summary>
    public static Workload Text(string root) => Large(root, "text", 3, 64 * Megabyte, Fill("text"));

    /// <summary>Lines like the log of a service.</summary>
    public static Workload Log(string root) => Large(root, "log", 3, 64 * Megabyte, WriteLog);

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

    /// <summary>Lines like the log of a service: much repetition, but varying numbers.</summary>
    public static byte[] Log(int seed, int size)
    {
        var bytes = new byte[size];
        WriteLog(seed, bytes);
        return bytes;
    }

    /// <summary>A corpus, repeated.</summary>
    private static Action<int, byte[]> Fill(string corpusName)
    {
        var corpus = Corpus.All().First(one => one.Name == corpusName).Bytes;
        return (_, bytes) =>
        {
            for (var at = 0; at < bytes.Length; at += corpus.Length)
            {
                corpus.AsSpan(0, Math.Min(corpus.Length, bytes.Length - at)).CopyTo(bytes.AsSpan(at));
            }
        };
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

    private static void WriteJson(int seed, byte[] bytes)
    {
        var random = new Random(seed);
        for (var at = 0; at < bytes.Length;)
        {
            var record = string.Create(
                CultureInfo.InvariantCulture,
                $"{{\"id\":{random.Next()},\"name\":\"object-{random.Next(100_000)}\",\"size\":{random.Next()},\"tags\":[\"t{random.Next(50)}\",\"t{random.Next(50)}\"],\"public\":{(random.Next(2) == 0 ? "true" : "false")}}},\n");
            at += Encoding.ASCII.GetBytes(record.AsSpan(0, Math.Min(record.Length, bytes.Length - at)), bytes.AsSpan(at));
        }
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
