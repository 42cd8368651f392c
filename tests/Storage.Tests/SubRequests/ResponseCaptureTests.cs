using Gateway.Storage.SubRequests;

namespace Storage.Tests.SubRequests;

public class ResponseCaptureTests
{
    private readonly ResponseCapture _capture = new([]);

    [Fact]
    public async Task A_request_is_in_flight_until_its_body_has_been_read()
    {
        using var message = new HttpResponseMessage();
        var inFlight = _capture.HandOverAsync(message);

        Assert.Same(message, await _capture.Received);
        Assert.False(inFlight.IsCompleted);
        _capture.Release();

        await inFlight;
    }

    [Fact]
    public async Task A_pipeline_that_ends_without_a_response_releases_the_reader()
    {
        _capture.End();

        Assert.Null(await _capture.Received);
    }

    [Fact]
    public async Task The_end_of_the_pipeline_does_not_replace_a_response()
    {
        using var message = new HttpResponseMessage();
        var inFlight = _capture.HandOverAsync(message);

        _capture.Release();
        await inFlight;
        _capture.End();

        Assert.Same(message, await _capture.Received);
    }
}
