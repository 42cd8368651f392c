using System.Security.Claims;
using Gateway.Storage.Sources;
using Microsoft.AspNetCore.Http;

namespace Testing;

/// <summary>A client of the gateway, without a connection.</summary>
internal static class TestClient
{
    /// <summary>A client that sent these headers.</summary>
    public static ClientContext Create(params (string Name, string Value)[] headers)
    {
        var dictionary = new HeaderDictionary();
        foreach (var (name, value) in headers)
        {
            dictionary[name] = value;
        }

        return new ClientContext(new ClaimsPrincipal(), "http", new HostString("gateway"), null, "trace", dictionary);
    }
}
