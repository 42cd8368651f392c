using Gateway.Bundles;
using Gateway.Responses;
using Gateway.Runs;
using Gateway.Server;
using Microsoft.AspNetCore.Mvc;

namespace Gateway.Doors;

/// <summary>The endpoints below <c>/bundle</c>. Each creates a run whose door reads the request, and returns a result that executes it.</summary>
internal static class BundleEndpoints
{
    /// <summary>The path of links.</summary>
    public const string Links = Root + "/links";

    private const string Root = "/bundle";
    private static readonly string[] GetOrHead = [HttpMethods.Get, HttpMethods.Head];
    private static readonly string[] GetOrPost = [HttpMethods.Get, HttpMethods.Post];

    // The errors that can come before the first byte of an archive.
    private static readonly int[] Problems =
    [
        StatusCodes.Status400BadRequest, StatusCodes.Status401Unauthorized, StatusCodes.Status403Forbidden, StatusCodes.Status404NotFound, StatusCodes.Status408RequestTimeout,
        StatusCodes.Status409Conflict, StatusCodes.Status410Gone, StatusCodes.Status412PreconditionFailed, StatusCodes.Status413PayloadTooLarge, StatusCodes.Status415UnsupportedMediaType, StatusCodes.Status416RangeNotSatisfiable,
        StatusCodes.Status429TooManyRequests, StatusCodes.Status500InternalServerError, StatusCodes.Status502BadGateway, StatusCodes.Status503ServiceUnavailable,
        StatusCodes.Status504GatewayTimeout, StatusCodes.Status505HttpVersionNotsupported,
    ];

    /// <summary>Maps the endpoints.</summary>
    public static RouteGroupBuilder MapBundles(this IEndpointRouteBuilder app)
    {
        var bundles = app.MapGroup(Root).WithTags("Bundles");
        bundles.MapMethods("", GetOrHead, SendArchive).WithName("GetBundle").WithSummary("Downloads the objects in the query as one archive.").WithMetadata(LongResponse.Metadata);
        bundles.MapPost("", SendArchive).WithName("PostBundle").WithSummary("Downloads the objects in a manifest or a form as one archive.").WithMetadata(LongResponse.Metadata);
        bundles.MapMethods("/plan", GetOrPost, SendPlan).WithName("PlanBundle").WithSummary("Returns what an archive would hold.").WithMetadata(LongResponse.Metadata);
        bundles.MapGet("/list", List).WithName("ListFolder").WithSummary("Returns one level of a folder, or the sources that can be listed.");
        bundles.MapPost("/links", CreateLink).WithName("CreateLink").WithSummary("Creates a link to a bundle.");
        bundles.MapMethods("/links/{token}", GetOrHead, FollowLink).WithName("FollowLink").WithSummary("Downloads the bundle of a link.").WithMetadata(LongResponse.Metadata);
        foreach (var status in Problems)
        {
            bundles.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(ProblemDetails), ["application/problem+json"]));
        }

        return bundles;
    }

    private static ArchiveResult SendArchive(HttpContext context, [FromServices] BundleRunFactory runs, [FromServices] RequestDoor door, [FromServices] BundleExecutor executor) =>
        new(runs.Create(context, GetOperation(context)), door.ReadAsync, executor);

    private static PlanResult SendPlan(HttpContext context, [FromServices] BundleRunFactory runs, [FromServices] RequestDoor door, [FromServices] BundleExecutor executor) =>
        new(runs.Create(context, BundleOperation.Plan), door.ReadAsync, executor);

    private static FolderResult List(HttpContext context, [FromServices] BundleRunFactory runs, [FromServices] ListDoor door, [FromServices] BundleExecutor executor) =>
        new(runs.Create(context, BundleOperation.List), door, executor);

    private static ArchiveResult FollowLink(
        string token, HttpContext context, [FromServices] BundleRunFactory runs, [FromServices] LinkDoor door, [FromServices] BundleExecutor executor) =>
        new(runs.Create(context, GetOperation(context)), run => door.ReadAsync(run, token), executor);

    private static LinkResult CreateLink(
        HttpContext context, [FromServices] BundleRunFactory runs, [FromServices] LinkCreator creator, [FromServices] BundleExecutor executor, [FromServices] ProblemResponder problems) =>
        new(runs.Create(context, BundleOperation.Link), creator, executor, problems);

    private static BundleOperation GetOperation(HttpContext context) => HttpMethods.IsHead(context.Request.Method) ? BundleOperation.Head : BundleOperation.Archive;
}
