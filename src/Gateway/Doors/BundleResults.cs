using System.Reflection;
using Gateway.Bundles;
using Gateway.Requests;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Storage.Sources;
using Microsoft.AspNetCore.Http.Metadata;

namespace Gateway.Doors;

/// <summary>An archive, or a part of it; for HEAD only its headers.</summary>
internal sealed class ArchiveResult(BundleRun run, ReadRequest read, BundleExecutor executor) : IResult, IEndpointMetadataProvider
{
    private static readonly string[] MediaTypes = ["application/gzip", "application/x-tar", "application/zstd", "application/zip"];

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder)
    {
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(Stream), MediaTypes));
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status206PartialContent, typeof(Stream), MediaTypes));
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status304NotModified));
    }

    public Task ExecuteAsync(HttpContext httpContext) => run.Operation == BundleOperation.Head ? executor.DescribeAsync(run, read) : executor.ExecuteAsync(run, read);
}

/// <summary>What an archive would hold, as a document.</summary>
internal sealed class PlanResult(BundleRun run, ReadRequest read, BundleExecutor executor) : IResult, IEndpointMetadataProvider
{
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder)
    {
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(PlanDocument), ["application/json"]));
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status304NotModified));
    }

    public Task ExecuteAsync(HttpContext httpContext) => executor.SendPlanAsync(run, read);
}

/// <summary>One level of a folder, or the sources that can be listed.</summary>
internal sealed class FolderResult(BundleRun run, ListDoor door, BundleExecutor executor) : IResult, IEndpointMetadataProvider
{
    private FolderQuery? _query;

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(FolderDocument), ["application/json"]));

    public Task ExecuteAsync(HttpContext httpContext) => executor.ListAsync(run, ReadAsync, () => door.ListAsync(run, _query!));

    private Task<(BundleRequest Request, ClientContext Client)> ReadAsync(BundleRun run)
    {
        (var request, var client, _query) = door.Read(run.Http);
        return Task.FromResult((request, client));
    }
}

/// <summary>A link to a bundle.</summary>
internal sealed class LinkResult(BundleRun run, LinkCreator creator, BundleExecutor executor, ProblemResponder problems) : IResult, IEndpointMetadataProvider
{
    private BundleFields? _fields;

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status201Created, typeof(LinkDocument), ["application/json"]));

    public Task ExecuteAsync(HttpContext httpContext) => executor.CreateLinkAsync(run, ReadAsync, async () =>
    {
        var link = await creator.CreateAsync(run, _fields!);
        httpContext.Response.Headers.CacheControl = "no-store";
        await problems.RespondAsync(httpContext, () => TypedResults.Created(link.Url, link).ExecuteAsync(httpContext));
    });

    private async Task<(BundleRequest Request, ClientContext Client)> ReadAsync(BundleRun run)
    {
        (var request, var client, _fields) = await creator.ReadAsync(run);
        return (request, client);
    }
}
