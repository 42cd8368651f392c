using System.Collections.Concurrent;
using System.Net;
using Gateway.Storage.Failures;
using Gateway.Storage.Listings;
using Gateway.Storage.Paths;
using Gateway.Storage.Stores;
using Gateway.Storage.Stores.Folder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Storage.SubRequests;

/// <summary>
/// Added last to every route. The request side fixes the URL and verifies, for every request, that it has not left the prefix of the
/// destination and of the route. The response side captures the response to requests that carry a <see cref="ResponseCapture"/>.
/// </summary>
internal sealed class CaptureTransforms : ITransformProvider
{
    private const string CorsHeaders = "Access-Control-";

    // One per destination address, so configuration bounds it.
    private readonly ConcurrentDictionary<string, Uri> _roots = new(StringComparer.Ordinal);

    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    public void Apply(TransformBuilderContext context)
    {
        // A paused HTTP/2 stream can hold up to 16 MiB; a paused HTTP/1.1 connection holds what the kernel's buffers hold.
        var versionIsOpen = context.Cluster?.HttpRequest?.Version is null;
        var pathTransforms = context.Route.Transforms?.SelectMany(transform => transform.Keys).Where(name => name.StartsWith("Path", StringComparison.OrdinalIgnoreCase)).ToArray() ?? [];
        var keyNotKept = pathTransforms.Length == 0 ? null : $"The route's path transforms ({string.Join(", ", pathTransforms)}) do not send this key unchanged.";
        context.AddRequestTransform(transform =>
        {
            PrepareRequest(transform, versionIsOpen, keyNotKept);
            return default;
        });
        context.AddResponseTransform(TakeResponse);
    }

    private void PrepareRequest(RequestTransformContext transform, bool versionIsOpen, string? keyNotKept)
    {
        var message = transform.ProxyRequest;
        var path = message.RequestUri is { } given ? given.OriginalString.Split('?', 2)[0] : transform.Path.Value;
        message.RequestUri ??= RequestUtilities.MakeDestinationAddress(transform.DestinationPrefix, transform.Path, transform.Query.QueryString);
        message.Options.Set(FolderHandler.Root, transform.DestinationPrefix);
        if (string.IsNullOrEmpty(message.Headers.Host))
        {
            // The client sent no such header: storage gets only its own host name.
            message.Headers.Host = null;
        }

        // Without dot segments a path cannot leave the prefix of the destination and the route's transforms.
        var staysInside = !DotSegments.IsIn(path) && IsUnder(transform.DestinationPrefix, message.RequestUri);
        var capture = transform.HttpContext.Features.Get<ResponseCapture>();
        message.Options.Set(StoreHandler.IsOfBundle, capture is not null);
        if (capture is not null)
        {
            RequireKept(capture, message.RequestUri, staysInside, keyNotKept);
            message.Options.Set(AttemptHandler.Capture, capture);
            SetStoreOptions(message.Options, capture);
            if (versionIsOpen)
            {
                message.Version = HttpVersion.Version11;
            }
        }
        else if (!staysInside)
        {
            // YARP forwards nothing once a transform has set a status.
            transform.HttpContext.Response.StatusCode = StatusCodes.Status400BadRequest;
        }
    }

    private static void SetStoreOptions(HttpRequestOptions options, ResponseCapture capture)
    {
        if (capture.Version is { } version)
        {
            options.Set(StoreHandler.Version, version);
        }

        if (capture.Listing is { } listing)
        {
            options.Set(ListingExchange.Key, listing);
        }
    }

    /// <exception cref="StorageException">The URL leaves the prefix, or does not end in the key that must be sent unchanged.</exception>
    private static void RequireKept(ResponseCapture capture, Uri address, bool staysInside, string? keyNotKept)
    {
        capture.Failure = !staysInside ? new StorageException(FailureReason.OutsidePrefix)
            : capture.ExactKey is { Length: > 0 } key && SentPath.FindPrefix(address, key) is null ? new StorageException(FailureReason.KeyNotKept, keyNotKept)
            : null;
        if (capture.Failure is { } failure)
        {
            throw failure;
        }
    }

    private static ValueTask TakeResponse(ResponseTransformContext transform)
    {
        var headers = transform.HttpContext.Response.Headers;
        if (transform.HttpContext.GetEndpoint()?.Metadata.GetMetadata<IEnableCorsAttribute>() is not null)
        {
            // The route's policy decides; headers of storage must not extend it.
            foreach (var name in headers.Keys.Where(name => name.StartsWith(CorsHeaders, StringComparison.OrdinalIgnoreCase)).ToArray())
            {
                headers.Remove(name);
            }
        }

        if (transform.ProxyResponse is not { } message || transform.HttpContext.Features.Get<ResponseCapture>() is not { } capture)
        {
            return default;
        }

        transform.SuppressResponseBody = true;
        if (capture.Failure is not { } failure)
        {
            return new ValueTask(capture.HandOverAsync(message));
        }

        if (capture.IsFaultOfDestination)
        {
            transform.HttpContext.Features.Set<IForwarderErrorFeature>(new ObservedForwarderError(ForwarderError.Request, failure));
        }

        return default;
    }

    // Uri decodes and resolves encoded dots, so this compares what would be sent.
    private bool IsUnder(string prefix, Uri address)
    {
        var root = _roots.GetOrAdd(prefix, static prefix => new Uri(prefix));
        var folder = root.AbsolutePath.TrimEnd('/');
        return address.Scheme == root.Scheme
            && address.Authority == root.Authority
            && address.UserInfo.Length == 0
            && address.AbsolutePath.StartsWith(folder, StringComparison.Ordinal)
            && address.AbsolutePath.AsSpan(folder.Length) is "" or ['/', ..];
    }
}
