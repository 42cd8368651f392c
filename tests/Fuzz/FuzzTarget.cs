using System.Diagnostics.CodeAnalysis;
using Fuzz.Targets;

namespace Fuzz;

/// <summary>Code that processes untrusted input, and its requirements.</summary>
/// <param name="Name">Its name, and that of its corpus.</param>
/// <param name="Run">Processes an input; throws if a requirement is violated.</param>
internal sealed record FuzzTarget(string Name, Action<byte[]> Run)
{
    public static IReadOnlyDictionary<string, FuzzTarget> All { get; } = new[]
    {
        new FuzzTarget("ids", IdsTarget.Run),
        new FuzzTarget("form", FormTarget.Run),
        new FuzzTarget("manifest", ManifestTarget.Run),
        new FuzzTarget("names", NamesTarget.Run),
        new FuzzTarget("object-head", ObjectHeadTarget.Run),
        new FuzzTarget("content-range", ContentRangeTarget.Run),
        new FuzzTarget("range", RangeTarget.Run),
        new FuzzTarget("disposition", DispositionTarget.Run),
        new FuzzTarget("link", LinkTarget.Run),
        new FuzzTarget("signature", SignatureTarget.Run),
        new FuzzTarget("segment", CheckpointSegmentTarget.Run),
        new FuzzTarget("s3-listing", S3ListingTarget.Run),
        new FuzzTarget("azure-listing", AzureListingTarget.Run),
        new FuzzTarget("store-error", StoreErrorTarget.Run),
    }.ToDictionary(target => target.Name);

    /// <summary>The violation for an input; null if there is none.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever is thrown is the finding.")]
    public string? FaultOf(byte[] input)
    {
        try
        {
            Run(input);
            return null;
        }
        catch (Exception e)
        {
            return e.ToString();
        }
    }

    /// <summary>Part of a target: the requirement under test.</summary>
    public static void Require([DoesNotReturnIf(false)] bool holds, string promise)
    {
        if (!holds)
        {
            throw new RequirementViolatedException(promise);
        }
    }
}

/// <summary>A violated requirement.</summary>
internal sealed class RequirementViolatedException(string promise) : Exception(promise);
