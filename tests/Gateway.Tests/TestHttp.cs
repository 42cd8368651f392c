using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests;

/// <summary>A request without a server: it remembers the body of its response and whether it was aborted.</summary>
internal sealed class TestHttp : IHttpRequestLifetimeFeature
{
    private static readonly ServiceProvider Services = new ServiceCollection().AddLogging().BuildServiceProvider();

    public TestHttp()
    {
        Context.RequestServices = Services;
        Context.TraceIdentifier = "trace-1";
        Context.Response.Body = new MemoryStream();
        Context.Features.Set<IHttpRequestLifetimeFeature>(this);
    }

    public DefaultHttpContext Context { get; } = new();

    public HttpRequest Request => Context.Request;

    public HttpResponse Response => Context.Response;

    public CancellationToken RequestAborted { get; set; }

    public bool IsAborted { get; private set; }

    public string Body => Encoding.UTF8.GetString(((MemoryStream)Context.Response.Body).ToArray());

    public string RawTarget
    {
        set => Context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = value;
    }

    public void Abort() => IsAborted = true;

    /// <summary>Whether a middleware passes a request on.</summary>
    public static async Task<bool> PassesAsync(HttpContext context, Func<HttpContext, RequestDelegate, Task> middleware)
    {
        var passes = false;
        await middleware(context, _ =>
        {
            passes = true;
            return Task.CompletedTask;
        });
        return passes;
    }
}
