namespace Gateway.Configuration;

/// <summary>Finds the key that an operator probably meant.</summary>
internal static class NearestKey
{
    // Of a key with this many characters, one may be wrong.
    private const int CharactersPerMistake = 3;

    /// <summary>The known key that differs least, by letters that are missing, added or replaced; upper and lower case are equal.</summary>
    /// <returns>Null if none is similar.</returns>
    public static string? Find(string key, IEnumerable<string> known) => known
        .Select(name => (Name: name, Distance: GetDistance(key.ToUpperInvariant(), name.ToUpperInvariant())))
        .Where(candidate => candidate.Distance <= Math.Max(1, candidate.Name.Length / CharactersPerMistake))
        .OrderBy(candidate => candidate.Distance).Select(candidate => candidate.Name).FirstOrDefault();

    /// <summary>The Levenshtein distance.</summary>
    private static int GetDistance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var replaced = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
