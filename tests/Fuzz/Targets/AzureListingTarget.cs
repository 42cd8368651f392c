using Gateway.Storage.Stores.AzureBlobs;

namespace Fuzz.Targets;

/// <summary>A page of a listing of Azure: as for S3.</summary>
internal static class AzureListingTarget
{
    public static void Run(byte[] input) => S3ListingTarget.Run(input, AzureListingReader.Read);
}
