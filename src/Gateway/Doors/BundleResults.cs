using System.Reflection;
using Gateway.Bundles;
using Gateway.Responses;
using Gateway.Runs;
using Microsoft.AspNetCore.Http.Metadata;

namespace Gateway.Doors;

/// <summary>An archive, or a part of it; for HEAD only its headers.</summary>
internal sealed class ArchiveResult(BundleRun run, BundleExecutor executor) : IResult, IEndpointMetadataProvider
{
    private static readonly string[] MediaTypes = ["application/gzip", "application/x-tar", "application/zstd", "application/zip"];

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder)
    {
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(Stream), MediaTypes));
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status206PartialContent, typeof(Stream), MediaTypes));
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status304NotModified));
    }

    public Task ExecuteAsync(HttpContext httpContext) => run.Operation == BundleOperation.Head ? executor.DescribeAsync(run) : executor.ExecuteAsync(run);
}

/// <summary>What an archive would hold, as a document.</summary>
internal sealed class PlanResult(BundleRun run, BundleExecutor executor) : IResult, IEndpointMetadataProvider
{
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder)
    {
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(PlanDocument), ["application/json"]));
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status304NotModified));
    }

    public Task ExecuteAsync(HttpContext httpContext) => executor.DescribeAsync(run);
}

/// <summary>A link to a bundle.</summary>
internal sealed class LinkResult(BundleRun run, LinkCreator creator, BundleRecorder recorder, ProblemResponder problems) : IResult, IEndpointMetadataProvider
{
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status201Created, typeof(LinkDocument), ["application/json"]));

    public Task ExecuteAsync(HttpContext httpContext) => recorder.RunAsync(run, async () =>
    {
        var link = await creator.CreateAsync(run);
        httpContext.Response.Headers.CacheControl = "no-store";
        await problems.RespondAsync(httpContext, () => TypedResults.Created(link.Url, link).ExecuteAsync(httpContext));
    });
}
