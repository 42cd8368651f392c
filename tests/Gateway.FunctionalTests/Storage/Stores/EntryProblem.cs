using System.Text.Json.Nodes;
using Testing;

namespace Gateway.FunctionalTests.Storage.Stores;

/// <summary>What a problem document reports of one entry.</summary>
internal sealed record EntryProblem(int Index, string Id, string Reason)
{
    /// <summary>All of them, of a response before the first byte.</summary>
    public static EntryProblem[] ReadAll(Download download, int status)
    {
        Assert.True((int)download.Status == status, System.Text.Encoding.UTF8.GetString(download.Bytes));
        download.RequireEarly(status);
        return [.. JsonNode.Parse(download.Bytes)!["errors"]?.AsArray().Select(error => new EntryProblem((int)error!["index"]!, (string)error["id"]!, (string)error["reason"]!)) ?? []];
    }
}
