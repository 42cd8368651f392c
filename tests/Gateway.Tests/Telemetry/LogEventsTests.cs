using System.Reflection;
using Gateway.Telemetry;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Telemetry;

/// <summary>Every log message has a unique id from one table.</summary>
public sealed class LogEventsTests
{
    private static readonly Dictionary<int, string> Table = typeof(LogEvents).GetFields(BindingFlags.Static | BindingFlags.Public)
        .ToDictionary(field => (int)field.GetRawConstantValue()!, field => field.Name);

    [Fact]
    public void Ids_are_unique_and_none_is_left_out() => Assert.Equal(Enumerable.Range(1, Table.Count), Table.Keys.Order());

    [Fact]
    public void Every_message_takes_its_id_and_its_name_from_the_table()
    {
        LoggerMessageAttribute[] messages = [.. typeof(LogEvents).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.DeclaredOnly | BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>()];

        Assert.All(messages, message => Assert.Equal(message.EventName, Table.GetValueOrDefault(message.EventId)));
        Assert.Equal(messages.Length, messages.DistinctBy(message => message.EventId).Count());
    }

    [Fact]
    public void Only_the_access_log_writes_without_a_generated_message() =>
        Assert.Equal([nameof(LogEvents.Bundle)], Table.Values.Except(typeof(LogEvents).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.DeclaredOnly | BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>()?.EventName)));
}
