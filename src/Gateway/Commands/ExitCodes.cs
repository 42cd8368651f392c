using Gateway.Storage;

namespace Gateway.Commands;

/// <summary>The exit codes of the process.</summary>
internal static class ExitCodes
{
    /// <summary>The process was stopped.</summary>
    public const int Success = 0;

    /// <summary>The configuration is invalid. Each fault is a line of the standard error.</summary>
    public const int InvalidConfiguration = 1;

    /// <summary>The gateway is not alive.</summary>
    public const int Unhealthy = 1;

    /// <summary>The command line is invalid.</summary>
    public const int BadArguments = 2;

    /// <summary>Prints the errors of a configuration, one per line.</summary>
    public static int Report(InvalidConfigurationException invalid)
    {
        foreach (var fault in invalid.Faults)
        {
            Console.Error.WriteLine(fault);
        }

        return InvalidConfiguration;
    }
}
