namespace Testing;

/// <summary>The errors of S3, with details of every kind that real ones contain.</summary>
internal static class S3Error
{
    /// <param name="status">The HTTP status.</param>
    /// <param name="code">The error code, for instance <c>SlowDown</c>.</param>
    /// <param name="resource">What was requested.</param>
    /// <param name="details">Additional elements.</param>
    public static ScriptedResponse Create(int status, string code, string resource, string details = "") => ScriptedResponse.Xml(
        status,
        $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>The store's own message about {S3Listing.EncodeXml(resource)}</Message>"
        + $"<Resource>{S3Listing.EncodeXml(resource)}</Resource>{details}<RequestId>{ScriptedS3.RequestId}</RequestId><HostId>{ScriptedS3.HostId}</HostId></Error>");
}
