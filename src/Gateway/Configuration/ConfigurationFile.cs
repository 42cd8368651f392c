using Microsoft.Extensions.Configuration.Json;

namespace Gateway.Configuration;

/// <summary>The operator's file, read again when it changes. When it is not JSON then, what it said before stays active, and the log names the
/// place of the fault. .NET's own provider would forget everything and report nothing.</summary>
internal sealed partial class ConfigurationFile : JsonConfigurationSource
{
    /// <summary>Where faults of a reload are reported, once there is a log.</summary>
    public ILogger? Logger { get; set; }

    public override IConfigurationProvider Build(IConfigurationBuilder builder)
    {
        EnsureDefaults(builder);
        return new Provider(this);
    }

    [LoggerMessage(EventId = 9, EventName = "ConfigurationNotRead", Level = LogLevel.Error, Message = "The configuration file has changed and cannot be read: {Fault}. The configuration before stays active.")]
    private static partial void LogNotRead(ILogger logger, string fault);

    private sealed class Provider(ConfigurationFile file) : JsonConfigurationProvider(file)
    {
        private bool _isLoaded;

        public override void Load(Stream stream)
        {
            try
            {
                base.Load(stream);
                _isLoaded = true;
            }
            catch (FormatException e) when (_isLoaded)
            {
                if (file.Logger is { } logger)
                {
                    LogNotRead(logger, string.Join("; ", ConfigurationFaults.Of(e)));
                }
            }
        }
    }
}
