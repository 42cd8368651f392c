namespace Fuzz;

/// <summary>Creates an input from one or two existing ones.</summary>
internal static class Mutator
{
    private const int MostSteps = 6;

    // Characters that change a parser's state.
    private static readonly byte[] Bytes = [0, 1, 9, 10, 13, 31, 32, .. "\"%&*+,-./:;<=>?@[\\]_`{|}~0189AZaz"u8, 127, 128, 0xC0, 0xE2, 0xED, 0xF4, 0xFF];

    public static byte[] Mutate(Random random, IReadOnlyList<byte[]> corpus, int maxLength)
    {
        var bytes = new List<byte>(Pick());
        for (var steps = random.Next(1, MostSteps + 1); steps > 0; steps--)
        {
            Step();
        }

        return [.. bytes.Take(maxLength)];

        byte[] Pick() => corpus.Count == 0 ? [] : corpus[random.Next(corpus.Count)];

        void Step()
        {
            var at = random.Next(bytes.Count + 1);
            var length = Math.Min(1 + random.Next(1 << random.Next(8)), bytes.Count - at);
            switch (random.Next(9))
            {
                case 0 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1 when at < bytes.Count:
                    bytes[at] = Bytes[random.Next(Bytes.Length)];
                    break;
                case 2:
                    bytes.Insert(at, Bytes[random.Next(Bytes.Length)]);
                    break;
                case 3:
                    bytes.RemoveRange(at, length);
                    break;
                case 4 when bytes.Count < maxLength:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 5:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                case 6 when length > 0:
                    var part = bytes.GetRange(at, length);
                    bytes.RemoveRange(at, length);
                    bytes.InsertRange(random.Next(bytes.Count + 1), part);
                    break;
                case 7 when Pick() is { Length: > 0 } other && bytes.Count < maxLength:
                    var from = random.Next(other.Length);
                    bytes.InsertRange(at, other.AsSpan(from, random.Next(other.Length - from + 1)));
                    break;
                case 8 when at < bytes.Count && char.IsAsciiDigit((char)bytes[at]):
                    // Numbers that exceed their types.
                    bytes.InsertRange(at, Enumerable.Repeat(bytes[at], random.Next(1, 20)));
                    break;
            }
        }
    }
}
