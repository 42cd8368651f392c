using System.Diagnostics.CodeAnalysis;
using Gateway.Storage.Failures;
using Gateway.Storage.Paths;

namespace Gateway.Storage.Stores.Dialects;

/// <summary>Obtains a credential from a vendor's library, for all requests of a store.</summary>
/// <remarks>
/// Any number of threads. The library caches and renews the credential, so it is called again at most a second later. It may be slow: the search for a credential
/// can take half a minute if a metadata service does not respond. So one call at a time runs, on its own thread, all requests wait for it at most
/// five seconds, and a failure is remembered for half a minute.
/// </remarks>
/// <param name="name">Names the library's search, for the log.</param>
/// <param name="obtain">Calls the library. It must observe the token.</param>
/// <param name="getExpiry">Returns when a credential expires; null if it is not known.</param>
/// <param name="time">The clock.</param>
internal sealed class CredentialCache<T>(string name, Func<CancellationToken, Task<T>> obtain, Func<T, DateTimeOffset?> getExpiry, TimeProvider time)
    where T : class
{
    private const int MaxShownLength = 300;
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxSearch = TimeSpan.FromSeconds(60);
    // Libraries renew what is about to expire, and some try it at every call while that fails.
    private static readonly TimeSpan Reuse = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MinLifetime = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FailureLifetime = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private Task<T>? _pending;
    private object? _search;
    private T? _credential;
    private long _obtainedAt;
    private T? _latest;
    private long _renewedAt;
    private Task _last = Task.CompletedTask;
    private string? _failure;
    private long _failedAt;

    /// <summary>The time since the library last returned another credential than before; null if it has returned none.</summary>
    public TimeSpan? Age
    {
        get
        {
            lock (_lock)
            {
                return _latest is null ? null : time.GetElapsedTime(_renewedAt);
            }
        }
    }

    /// <summary>The current credential.</summary>
    /// <exception cref="StorageException"><see cref="FailureReason.NoCredential"/>: there is none, or it took too long.</exception>
    public async ValueTask<T> GetAsync(CancellationToken cancellationToken)
    {
        Task<T> pending;
        lock (_lock)
        {
            if (_credential is not null && time.GetElapsedTime(_obtainedAt) < Reuse && !(getExpiry(_credential) - time.GetUtcNow() < MinLifetime))
            {
                return _credential;
            }

            if (_failure is not null && time.GetElapsedTime(_failedAt) < FailureLifetime)
            {
                throw Fail(_failure);
            }

            if (_pending is null)
            {
                var (search, last) = (new object(), _last);
                _search = search;
                _last = _pending = Task.Run(() => ObtainAsync(search, last), CancellationToken.None);

                // All requests that waited may have left when it fails.
                _ = _last.ContinueWith(static failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }

            pending = _pending;
        }

        try
        {
            return await pending.WaitAsync(MaxWait, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw Fail($"{name} took longer than {MaxWait.TotalSeconds} s.");
        }
    }

    /// <summary>Storage has rejected the credential: requests from now on do not get what an earlier call returns.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            (_pending, _search, _credential) = (null, null, null);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Libraries throw many types. Whatever it is, there is no credential.")]
    private async Task<T> ObtainAsync(object search, Task last)
    {
        await last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            using var stop = new CancellationTokenSource(MaxSearch, time);
            var credential = await obtain(stop.Token);
            End(search, credential, null);
            return credential;
        }
        catch (Exception e)
        {
            var failure = $"{name}: {e.GetType().Name}: {HiddenCharacters.Escape(e.Message, MaxShownLength)}";
            End(search, null, failure);
            throw Fail(failure);
        }
    }

    private void End(object search, T? credential, string? failure)
    {
        lock (_lock)
        {
            if (_search == search)
            {
                (_pending, _search, _failure, _failedAt) = (null, null, failure, time.GetTimestamp());
                (_credential, _obtainedAt) = (credential, time.GetTimestamp());
                if (credential is not null && !credential.Equals(_latest))
                {
                    (_latest, _renewedAt) = (credential, _obtainedAt);
                }
            }
        }
    }

    private static StorageException Fail(string detail) => new(FailureReason.NoCredential) { LogDetail = detail };
}
