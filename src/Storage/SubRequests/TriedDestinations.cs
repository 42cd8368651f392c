namespace Gateway.Storage.SubRequests;

/// <summary>Middleware before YARP's load balancing: a retry uses another destination if there is one.</summary>
internal static class TriedDestinations
{
    public static Task SkipAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<ResponseCapture>() is { } capture)
        {
            var proxy = context.GetReverseProxyFeature();
            var others = capture.Tried.Count == 0 ? proxy.AvailableDestinations : [.. proxy.AvailableDestinations.Where(destination => !capture.Tried.Contains(destination.DestinationId))];
            capture.IsLastDestination = others.Count <= 1;
            if (others.Count > 0)
            {
                proxy.AvailableDestinations = others;
            }
        }

        return next(context);
    }
}
