namespace Benchmarks;

/// <summary>One run of one way of getting a workload.</summary>
/// <param name="Seconds">Wall time at the client.</param>
/// <param name="CpuSeconds">Processor time of the gateway process.</param>
/// <param name="PeakBytes">Highest resident memory of the gateway process during the run.</param>
/// <param name="ReceivedBytes">Body bytes at the client.</param>
internal sealed record Measurement(double Seconds, double CpuSeconds, long PeakBytes, long ReceivedBytes);
