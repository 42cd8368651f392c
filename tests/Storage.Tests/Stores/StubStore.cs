using System.Net;
using System.Text;
using Testing;

namespace Storage.Tests.Stores;

/// <summary>The connections of a store: it remembers what arrives, as it would be on the wire, and responds as the test states.</summary>
internal sealed class StubStore : HttpMessageHandler
{
    private readonly List<ScriptedRequest> _requests = [];

    /// <summary>What has arrived.</summary>
    public IReadOnlyList<ScriptedRequest> Requests
    {
        get
        {
            lock (_requests)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>The only request.</summary>
    public ScriptedRequest Request => Assert.Single(Requests);

    public Func<ScriptedRequest, Task<HttpResponseMessage>> RespondAsync { get; set; } = _ => Task.FromResult(Ok());

    public Func<ScriptedRequest, HttpResponseMessage> Respond
    {
        set => RespondAsync = request => Task.FromResult(value(request));
    }

    public static HttpResponseMessage Ok(string body = "") => new(HttpStatusCode.OK) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };

    /// <summary>An error as S3 and Azure send it.</summary>
    public static HttpResponseMessage Error(int status, string code = "", string more = "") => new((HttpStatusCode)status)
    {
        Content = new ByteArrayContent(Encoding.UTF8.GetBytes(code.Length == 0 ? "" : $"<Error><Code>{code}</Code>{more}</Error>")),
    };

    /// <summary>A request as it would be on the wire.</summary>
    public static ScriptedRequest Read(HttpRequestMessage message)
    {
        var headers = message.Headers.NonValidated.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        headers.TryAdd("Host", message.RequestUri!.Authority);
        return new ScriptedRequest(message.Method.Method, message.RequestUri!.PathAndQuery, headers);
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var read = Read(request);
        lock (_requests)
        {
            _requests.Add(read);
        }

        return RespondAsync(read);
    }
}
