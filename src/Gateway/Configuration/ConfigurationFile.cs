using Gateway.Telemetry;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Primitives;

namespace Gateway.Configuration;

/// <summary>The operator's file, read again when it changes. If it is then missing or not JSON, the previous configuration stays active, and the
/// log states why. .NET's own provider would drop everything and report nothing.</summary>
internal sealed partial class ConfigurationFile : JsonConfigurationSource
{
    /// <summary>Called with errors of a reload, once there is a log.</summary>
    public ILogger? Logger { get; set; }

    /// <summary>Called when a changed file cannot be read.</summary>
    public Action? Refused { get; set; }

    public override IConfigurationProvider Build(IConfigurationBuilder builder)
    {
        EnsureDefaults(builder);
        return new Provider(this);
    }

    [LoggerMessage(EventId = LogEvents.ConfigurationNotRead, EventName = nameof(LogEvents.ConfigurationNotRead), Level = LogLevel.Error, Message = "The changed configuration file cannot be read: {Fault} The previous configuration stays active.")]
    private static partial void LogNotRead(ILogger logger, string fault);

    private sealed class Provider : JsonConfigurationProvider
    {
        private readonly ConfigurationFile _file;
        private readonly IDisposable _watching;

        public Provider(ConfigurationFile file)
            : base(file)
        {
            _file = file;
            _watching = ChangeToken.OnChange(() => file.FileProvider!.Watch(file.Path!), Reload);
        }

        protected override void Dispose(bool disposing)
        {
            _watching.Dispose();
            base.Dispose(disposing);
        }

        private void Reload()
        {
            // The file may not be complete yet.
            Thread.Sleep(_file.ReloadDelay);
            try
            {
                Load();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or FormatException)
            {
                _file.Refused?.Invoke();
                if (_file.Logger is { } logger)
                {
                    LogNotRead(logger, string.Join(' ', ConfigurationFaults.From(e)));
                }
            }
        }
    }
}
