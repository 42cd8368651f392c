using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Plans;

/// <summary>Hashes of everything that decides a byte of an archive. Each part is preceded by its length, so that no two plans hash the same text.</summary>
internal static class BundleHash
{
    private const int Length = 16;

    /// <summary>The archive's ETag, with its quotes. Every entry must have been checked and have a strong validator.</summary>
    public static string OfVersion(BundlePlan plan) => Hash(plan, isOfVersion: true);

    /// <summary>Names what the client requests, whatever version of it storage has.</summary>
    public static string OfRequest(BundlePlan plan) => Hash(plan, isOfVersion: false);

    private static string Hash(BundlePlan plan, bool isOfVersion)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, plan.Recipe.Fingerprint);
        Append(hash, plan.Request.HasReceipt ? "receipt" : "");
        foreach (var entry in plan.Request.HasReceipt || !isOfVersion ? plan.All : plan.Entries)
        {
            Append(hash, entry.IsMissing && isOfVersion ? "missing" : "ok");
            Append(hash, entry.Id);
            Append(hash, entry.Name);
            if (isOfVersion)
            {
                AppendVersion(hash, entry, plan.Request.HasReceipt);
            }
        }

        // For another tenant, storage may mean another object by the same name and validator.
        foreach (var request in plan.All.Select(entry => entry.Object).DistinctBy(request => request.Source).Where(request => request.Source.Headers.Count > 0))
        {
            Append(hash, request.Source.Name);
            foreach (var name in request.Source.Headers)
            {
                Append(hash, name);
                Append(hash, request.Client.Headers[name].ToString());
            }
        }

        return $"\"{Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, Length))}\"";
    }

    private static void AppendVersion(IncrementalHash hash, PlannedEntry entry, bool hasReceipt)
    {
        if (entry is { IsMissing: false, Head: { } head })
        {
            Append(hash, head.ETag!);
            Append(hash, string.Create(CultureInfo.InvariantCulture, $"{head.Size} {head.Modified.ToUnixTimeSeconds()} "));
            if (head.Encoding is { } encoding)
            {
                Append(hash, head.Stored is null ? encoding : encoding + " decoded");
            }

            if (hasReceipt && head.Version is { } version)
            {
                // The receipt contains it.
                Append(hash, $"version {version}");
            }
        }
    }

    private static void Append(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        hash.AppendData(BitConverter.GetBytes(bytes.Length));
        hash.AppendData(bytes);
    }
}
