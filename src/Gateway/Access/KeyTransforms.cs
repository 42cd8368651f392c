using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Access;

/// <summary>A key that is meant for us is not shown to storage: neither for a bundle, which carries nothing of the client's, nor for what is
/// proxied as it comes.</summary>
internal sealed class KeyTransforms : ITransformProvider
{
    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    public void Apply(TransformBuilderContext context) => context.AddRequestHeaderRemove(ApiKeyHandler.Header);
}
