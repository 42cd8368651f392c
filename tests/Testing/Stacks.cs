using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Symbols;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Etlx;
using Microsoft.Diagnostics.Tracing.Stacks;

namespace Testing;

/// <summary>Prints the managed stack of every thread of this process: what a hanging test waits for.</summary>
internal static class Stacks
{
    private static readonly TimeSpan Sampling = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Lock Gate = new();

    public static void Print(string reason)
    {
        lock (Gate)
        {
            Console.Error.WriteLine($"# {reason}. All stacks:");
            try
            {
                // On a separate thread and with a timeout: this process is in trouble.
                var sampled = Task.Factory.StartNew(Sample, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                Console.Error.WriteLine(sampled.Wait(Patience) ? sampled.Result : "(they could not be taken in time)");
            }
            catch (AggregateException e)
            {
                Console.Error.WriteLine(e.InnerException);
            }
        }
    }

    private static string Sample()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-stacks-");
        try
        {
            var trace = Path.Combine(folder.FullName, "trace.nettrace");
            Record(trace);
            using var log = new TraceLog(TraceLog.CreateFromEventPipeDataFile(trace));
            return Write(log);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Record(string file)
    {
        using var session = new DiagnosticsClient(Environment.ProcessId).StartEventPipeSession([new EventPipeProvider("Microsoft-DotNETCore-SampleProfiler", EventLevel.Informational)]);
        using var output = File.Create(file);
        var copying = Task.Factory.StartNew(() => session.EventStream.CopyTo(output), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Thread.Sleep(Sampling);
        session.Stop();
        copying.Wait();
    }

    private static string Write(TraceLog log)
    {
        using var symbols = new SymbolReader(TextWriter.Null);
        var source = new MutableTraceEventStackSource(log) { OnlyManagedCodeStacks = true };
        new SampleProfilerThreadTimeComputer(log, symbols).GenerateThreadTimeStacks(source);
        var stacks = new Dictionary<string, string>();
        source.ForEach(sample =>
        {
            var frames = new List<string>();
            for (var at = sample.StackIndex; at != StackSourceCallStackIndex.Invalid; at = source.GetCallerIndex(at))
            {
                frames.Add(source.GetFrameName(source.GetFrameIndex(at), false));
            }

            if (frames.Find(frame => frame.StartsWith("Thread (", StringComparison.Ordinal)) is { } thread)
            {
                stacks.TryAdd(thread, string.Join("\n  ", frames.TakeWhile(frame => frame != thread).Where(frame => frame is not ("UNMANAGED_CODE_TIME" or "CPU_TIME"))));
            }
        });

        // Pool threads that wait for work, and the like, are not informative.
        return string.Join("\n", stacks
            .Where(stack => stack.Value.Split('\n', StringSplitOptions.TrimEntries).Any(frame => !frame.StartsWith("System.Private.CoreLib!", StringComparison.Ordinal) && frame is not "?!?"))
            .Select(stack => $"{stack.Key}\n  {stack.Value}"));
    }
}
