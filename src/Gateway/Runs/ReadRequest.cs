using Gateway.Requests;
using Gateway.Storage.Sources;

namespace Gateway.Runs;

/// <summary>The door's part of a run: reads the request, and says on whose behalf objects are read. What it throws ends the run like any other failure.</summary>
/// <param name="run">The run, which pays for the memory of the request.</param>
internal delegate Task<(BundleRequest Request, ClientContext Client)> ReadRequest(BundleRun run);
