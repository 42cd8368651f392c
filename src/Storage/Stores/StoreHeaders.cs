namespace Gateway.Storage.Stores;

/// <summary>The headers that do not pass a store's handler, in either direction.</summary>
internal static class StoreHeaders
{
    // Of the client's own connection. Some stores take the host that they verify the signature for from X-Forwarded-Host.
    private const string Forwarded = "X-Forwarded-";

    private static readonly string[] Own = ["x-amz-", "x-rgw-", "x-ms-", "x-goog-", "x-guploader-"];
    private static readonly string[] OfObjects = ["Accept-Ranges", "Age", "Cache-Control", "Connection", "Date", "ETag", "Keep-Alive", "Pragma", "Repr-Digest", "Retry-After", "Transfer-Encoding", "Vary"];
    private static readonly string[] OfClients = ["Authorization", "Cookie", "Proxy-Authorization", "Origin", "Referer", "Forwarded"];

    /// <summary>Removes from a request what a store could obey, and what identifies the client.</summary>
    public static void RemoveClients(HttpRequestMessage request)
    {
        // The host that a transform sets would differ from the one that is signed.
        request.Headers.Host = null;
        request.Content = null;
        foreach (var name in request.Headers.NonValidated.Select(header => header.Key).Where(IsOfClient).ToArray())
        {
            request.Headers.Remove(name);
        }
    }

    /// <summary>The response for a client: only what is known to describe the object remains. The store's reason phrase and its trailers do not.</summary>
    public static HttpResponseMessage WithoutOwn(HttpResponseMessage response)
    {
        // Trailers arrive after the body, and are then added to the original message.
        var described = new HttpResponseMessage(response.StatusCode) { Version = response.Version, RequestMessage = response.RequestMessage, Content = response.Content };
        foreach (var (name, values) in response.Headers.NonValidated)
        {
            if (OfObjects.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                described.Headers.TryAddWithoutValidation(name, values);
            }
        }

        return described;
    }

    private static bool IsOfClient(string name) =>
        OfClients.Contains(name, StringComparer.OrdinalIgnoreCase) || name.StartsWith(Forwarded, StringComparison.OrdinalIgnoreCase) || IsOwn(name);

    private static bool IsOwn(string name) => Own.Any(own => name.StartsWith(own, StringComparison.OrdinalIgnoreCase));
}
