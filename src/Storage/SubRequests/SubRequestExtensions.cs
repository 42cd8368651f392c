namespace Gateway.Storage.SubRequests;

/// <summary>Distinguishes the gateway's requests to storage from the requests of clients.</summary>
public static class SubRequestExtensions
{
    /// <summary>Whether a request in YARP's pipeline reads an object for a bundle. Otherwise a client has sent it.</summary>
    public static bool IsSubRequest(this HttpContext context) => context.Features.Get<ResponseCapture>() is not null;
}
