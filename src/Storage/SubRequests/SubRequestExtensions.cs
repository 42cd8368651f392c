namespace Gateway.Storage.SubRequests;

/// <summary>Tells the gateway's own requests from those of clients.</summary>
public static class SubRequestExtensions
{
    /// <summary>Whether a request in YARP's pipeline reads an object for a bundle. Otherwise a client has sent it.</summary>
    public static bool IsSubRequest(this HttpContext context) => context.Features.Get<ResponseCapture>() is not null;
}
