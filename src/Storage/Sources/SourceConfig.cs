using System.Globalization;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Storage.Sources;

/// <summary>The validated source metadata of a YARP route and its cluster.</summary>
/// <param name="Name">The first segment of its ids.</param>
/// <param name="Path">The prefix of its paths, with slashes at both ends.</param>
/// <param name="KeyParameter">The route parameter that contains the key.</param>
/// <param name="ParallelRanges">Parts of a large object that are read in parallel.</param>
/// <param name="Headers">Names of the client's headers that storage gets; see <see cref="SourceHeaders"/>.</param>
public sealed record SourceConfig(string Name, string Path, string KeyParameter, int ParallelRanges, IReadOnlyList<string> Headers)
{
    /// <summary>Whether 403 for a key means that the object does not exist, because storage hides which keys exist.</summary>
    public bool ForbiddenIsMissing { get; init; }

    /// <summary>Whether objects that are stored with a content coding (gzip, br, zstd) are decoded. Otherwise entries contain the stored
    /// bytes.</summary>
    public bool Decodes { get; init; }

    /// <summary>Whether clients may list it.</summary>
    public bool CanList { get; init; }

    /// <summary>In a route's metadata: the source's name.</summary>
    public const string NameKey = "Bundle.Source";
    /// <summary>In a route's metadata: whether only bundles may use the route.</summary>
    public const string InternalKey = "Bundle.Internal";
    /// <summary>In a route's metadata: <see cref="ForbiddenIsMissing"/>.</summary>
    public const string ForbiddenIsMissingKey = "Bundle.ForbiddenIsMissing";
    /// <summary>In a route's metadata: <see cref="CanList"/>.</summary>
    public const string ListKey = "Bundle.List";
    /// <summary>In a route's metadata: whether a direct request forwards a bearer token that the gateway has checked.</summary>
    public const string ForwardAuthorizationKey = "Bundle.ForwardAuthorization";

    /// <summary>In a route's metadata: <c>decode</c> or <c>store</c>, see <see cref="Decodes"/>.</summary>
    public const string EncodedKey = "Bundle.Encoded";

    /// <summary>In a cluster's metadata: how many parts of a large object are read in parallel.</summary>
    public const string RangesKey = "Bundle.ParallelRanges";
    /// <summary>In a cluster's metadata: how many requests each destination gets at the same time.</summary>
    public const string ConcurrencyKey = "Bundle.Concurrency";

    private const int MaxConcurrency = 10_000;

    private const string Store = "store";
    private const string Decode = "decode";
    private const string Prefix = "Bundle.";
    private const int MaxNameLength = 64;
    private const int MaxRanges = 32;

    private static readonly string[] RouteKeys = [NameKey, InternalKey, ForwardAuthorizationKey, ForbiddenIsMissingKey, EncodedKey, ListKey, SourceHeaders.Key];
    private static readonly string[] Flags = [InternalKey, ForwardAuthorizationKey, ForbiddenIsMissingKey, ListKey];

    /// <summary>Reads a route.</summary>
    /// <param name="route">The route.</param>
    /// <param name="cluster">Its cluster; null if it does not exist or is invalid.</param>
    /// <param name="faults">One line for each error that the operator has to correct.</param>
    /// <returns>Null if the route is not a source, or is invalid.</returns>
    public static SourceConfig? Parse(RouteConfig route, ClusterConfig? cluster, ICollection<string> faults)
    {
        var before = faults.Count;
        var where = $"ReverseProxy:Routes:{route.RouteId}";
        var metadata = route.Metadata ?? new Dictionary<string, string>();
        foreach (var key in metadata.Keys.Where(key => IsUnknown(key, RouteKeys)))
        {
            faults.Add($"{where}:Metadata:{key}: unknown key; known: {string.Join(", ", RouteKeys)}");
        }

        foreach (var key in Flags)
        {
            if (metadata.TryGetValue(key, out var flag) && !bool.TryParse(flag, out _))
            {
                faults.Add($"{where}:Metadata:{key}: '{flag}' is neither true nor false");
            }
        }

        var encoded = metadata.GetValueOrDefault(EncodedKey, Store);
        if (encoded is not (Store or Decode))
        {
            faults.Add($"{where}:Metadata:{EncodedKey}: '{encoded}' is neither {Store} nor {Decode}");
        }

        if (!SourceHeaders.TryParse(metadata.GetValueOrDefault(SourceHeaders.Key), out var headers, out var fault))
        {
            faults.Add($"{where}:Metadata:{SourceHeaders.Key}: {fault}");
        }

        if (!metadata.TryGetValue(NameKey, out var name))
        {
            return null;
        }

        if (!IsName(name))
        {
            faults.Add($"{where}:Metadata:{NameKey}: '{name}' is not a source name; use 1-{MaxNameLength} characters of A-Z a-z 0-9 - _ .");
        }

        RequireMatch(route, where, faults);
        var (path, key0) = ParsePath(route.Match.Path ?? "");
        if (key0 is null)
        {
            faults.Add($"{where}:Match:Path: a source needs literal segments and a catch-all for the key, like '/{name}/{{**key}}'");
        }

        return faults.Count == before ? new SourceConfig(name, path, key0!, GetParallelRanges(cluster, []), headers)
        {
            Decodes = encoded == Decode,
            ForbiddenIsMissing = IsSet(metadata, ForbiddenIsMissingKey),
            CanList = IsSet(metadata, ListKey),
        } : null;
    }

    /// <summary>Checks a cluster's metadata.</summary>
    public static void CheckCluster(ClusterConfig cluster, ICollection<string> faults)
    {
        foreach (var key in cluster.Metadata?.Keys.Where(key => IsUnknown(key, RangesKey, ConcurrencyKey)) ?? [])
        {
            faults.Add($"ReverseProxy:Clusters:{cluster.ClusterId}:Metadata:{key}: unknown key; known: {RangesKey}, {ConcurrencyKey}");
        }

        GetParallelRanges(cluster, faults);
        if (cluster.Metadata?.GetValueOrDefault(ConcurrencyKey) is { } concurrency && GetConcurrency(cluster.Metadata) is null)
        {
            faults.Add($"ReverseProxy:Clusters:{cluster.ClusterId}:Metadata:{ConcurrencyKey}: '{concurrency}' is not a number from 1 to {MaxConcurrency}");
        }
    }

    /// <summary>The fixed limit of concurrent requests to each destination of a cluster; null: adaptive.</summary>
    public static int? GetConcurrency(IReadOnlyDictionary<string, string>? metadata) =>
        int.TryParse(metadata?.GetValueOrDefault(ConcurrencyKey), NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxConcurrency ? limit : null;

    private static bool IsSet(IReadOnlyDictionary<string, string> metadata, string flag) => metadata.TryGetValue(flag, out var value) && bool.Parse(value);

    private static bool IsUnknown(string key, params string[] known) => key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && !known.Contains(key);

    private static bool IsName(string? name) =>
        name is { Length: > 0 and <= MaxNameLength } and not ("." or "..") && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    /// <summary>A bundle uses GET without a query, so matching its source must not depend on anything else.</summary>
    private static void RequireMatch(RouteConfig route, string where, ICollection<string> faults)
    {
        if (route.Match is { Hosts.Count: > 0 } or { Headers.Count: > 0 } or { QueryParameters.Count: > 0 })
        {
            faults.Add($"{where}:Match: a source must match by path only; bundles ignore Hosts, Headers and QueryParameters");
        }

        if (route.Match.Methods is { Count: > 0 } methods && !methods.Contains(HttpMethods.Get, StringComparer.OrdinalIgnoreCase))
        {
            faults.Add($"{where}:Match:Methods: a source is read with GET, which is missing");
        }
    }

    /// <returns>The path before the key, and the key's parameter; null if the path does not have this form.</returns>
    private static (string Path, string? KeyParameter) ParsePath(string path)
    {
        RoutePattern pattern;
        try
        {
            pattern = RoutePatternFactory.Parse(path);
        }
        catch (RoutePatternException)
        {
            // YARP reports it.
            return ("", null);
        }

        var folders = pattern.PathSegments.SkipLast(1).ToArray();
        if (pattern.PathSegments is not [.., { Parts: [RoutePatternParameterPart { IsCatchAll: true } key] }]
            || folders.Any(segment => segment.Parts.Any(part => !part.IsLiteral)))
        {
            return ("", null);
        }

        var literals = folders.Select(segment => string.Concat(segment.Parts.Cast<RoutePatternLiteralPart>().Select(part => part.Content)) + "/");
        return ("/" + string.Concat(literals), key.Name);
    }

    private static int GetParallelRanges(ClusterConfig? cluster, ICollection<string> faults)
    {
        if (cluster?.Metadata?.GetValueOrDefault(RangesKey) is not { } text)
        {
            return 1;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ranges) && ranges is >= 1 and <= MaxRanges)
        {
            return ranges;
        }

        faults.Add($"ReverseProxy:Clusters:{cluster.ClusterId}:Metadata:{RangesKey}: '{text}' is not a number from 1 to {MaxRanges}");
        return 1;
    }
}
