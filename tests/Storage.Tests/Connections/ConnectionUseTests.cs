using Gateway.Storage.Connections;

namespace Storage.Tests.Connections;

public class ConnectionUseTests
{
    [Fact]
    public void A_request_that_begins_again_has_no_history()
    {
        var use = new ConnectionUse("http://host:9000") { Pool = new ConnectionPool(new HttpMessageInvoker(new SocketsHttpHandler()), 0), MayBeReused = true, NeedsNewConnection = true };

        use.Begin(7);

        Assert.Equal(("http://host:9000", null, false, false, 7L), (use.Destination, use.Pool, use.MayBeReused, use.NeedsNewConnection, use.Started));
    }
}
