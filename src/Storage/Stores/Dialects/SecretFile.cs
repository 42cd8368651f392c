using Gateway.Storage.Failures;

namespace Gateway.Storage.Stores.Dialects;

/// <summary>A secret, from the configuration or from a mounted file that may be replaced at any time.</summary>
/// <remarks>Any number of threads. The file is read again at most every five seconds. Its time of change proves nothing, because
/// orchestrators replace a folder that the file's link leads to.</remarks>
internal sealed class SecretFile(string? value, string? path, TimeProvider time)
{
    private const int MaxBytes = 64 * 1024;
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(5);

    private volatile Reading? _last;
    private int _rejections;

    /// <summary>The current secret, without surrounding white space.</summary>
    /// <exception cref="StorageException">The file has never been read, and cannot be read now, or is empty.</exception>
    public string Read()
    {
        if (value is not null)
        {
            return value;
        }

        // Before the file is read: what is rejected meanwhile is not fresh.
        var rejections = Volatile.Read(ref _rejections);
        var last = _last;
        if (last?.Rejections == rejections && time.GetElapsedTime(last.At) < Freshness)
        {
            return last.Text;
        }

        try
        {
            _last = last = new Reading(ReadFile(path!), time.GetTimestamp(), rejections);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // While a file is being replaced, the previous secret is the best one there is.
            last = last is null
                ? throw new StorageException(FailureReason.NoCredential, inner: e) { LogDetail = $"The file of a secret cannot be read: {e.Message}" }
                : _last = last with { At = time.GetTimestamp(), Rejections = rejections };
        }

        return last.Text;
    }

    /// <summary>The next use reads the file again, because storage has rejected what it held.</summary>
    public void Forget() => Interlocked.Increment(ref _rejections);

    private static string ReadFile(string path)
    {
        // Of a link, a file's description has the length of the link.
        using var file = File.OpenRead(path);
        if (file.Length > MaxBytes)
        {
            throw new IOException("The file is too large for a secret.");
        }

        using var reader = new StreamReader(file);
        var text = reader.ReadToEnd().Trim();

        // An editor and a shell empty a file before they write it.
        return text.Length > 0 ? text : throw new IOException("The file is empty.");
    }

    private sealed record Reading(string Text, long At, int Rejections);
}
