using System.Buffers;

namespace PiPub.Web.Import;

/// <summary>Why an upload came to nothing.</summary>
public enum UploadProblem
{
    /// <summary>Nothing is wrong.</summary>
    None,

    /// <summary>The page was open since before a restart, or the form is not the box's.</summary>
    Expired,

    /// <summary>Another upload or import is under way.</summary>
    Busy,

    /// <summary>There is not so much room.</summary>
    TooLarge,

    /// <summary>The disk became full.</summary>
    DiskFull,

    /// <summary>The browser ended it, or the connection was lost.</summary>
    Broken,

    /// <summary>No file was chosen.</summary>
    Empty,

    /// <summary>The file is no log.</summary>
    NoLog,

    /// <summary>The secret cannot be used; the detail says why.</summary>
    BadSecret,

    /// <summary>The import was not begun; the detail says why.</summary>
    Refused,
}

/// <summary>How an upload is doing.</summary>
/// <param name="Received">Bytes that have come.</param>
/// <param name="Expected">Bytes that the browser announced.</param>
public readonly record struct UploadProgress(long Received, long Expected);

/// <summary>
/// Takes in one file at a time from a browser, into a temporary file that is gone afterwards in every case: whoever uses it
/// disposes of it, and a start removes what a pulled plug has left.
/// </summary>
public sealed class UploadDesk
{
    /// <summary>The form around the files may take as much besides, in bytes.</summary>
    public const int FormBytes = 1024 * 1024;

    private const int PieceBytes = 128 * 1024;
    private const long LookAtDiskEvery = 8 << 20;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly TimeSpan TellEvery = TimeSpan.FromMilliseconds(500);

    private readonly string _directory;
    private readonly Func<long> _freeBytes;
    private readonly TimeProvider _time;
    private int _isTaken;
    private State _state = new(null, UploadProblem.None, "");

    /// <summary>Empties the directory.</summary>
    /// <param name="directory">Where uploads lie while they are needed; made when missing.</param>
    /// <param name="freeBytes">Bytes that may still be written there, beyond those that must stay free.</param>
    /// <param name="time">The clock.</param>
    public UploadDesk(string directory, Func<long> freeBytes, TimeProvider time)
    {
        (_directory, _freeBytes, _time) = (directory, freeBytes, time);
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Raised when anything here is another, at most twice a second while an upload runs; on any thread.</summary>
    public event Action? Changed;

    /// <summary>The upload that runs; null when none does.</summary>
    public UploadProgress? Progress => _state.Progress;

    /// <summary>What was wrong with the last one.</summary>
    public (UploadProblem Problem, string Detail) Problem => Volatile.Read(ref _state).ToProblem();

    /// <summary>The most bytes that a file may have now: it needs room twice, as it is and as what is in it.</summary>
    public long MostBytes => Math.Max(0, _freeBytes() / 2);

    /// <summary>Begins an upload. Null when another one is under way.</summary>
    /// <param name="expected">Bytes that the browser announced.</param>
    public IDisposable? TryBegin(long expected)
    {
        if (Interlocked.Exchange(ref _isTaken, 1) != 0)
        {
            return null;
        }

        Tell(new UploadProgress(0, expected), UploadProblem.None, "");
        return new Turn(this);
    }

    /// <summary>Says what was wrong with an upload.</summary>
    public void Fail(UploadProblem problem, string detail = "") => Tell(_state.Progress, problem, detail);

    /// <summary>Forgets what was wrong with the last upload: the owner has gone another way.</summary>
    public void Forget() => Tell(_state.Progress, UploadProblem.None, "");

    /// <summary>Writes a file as it comes.</summary>
    /// <param name="from">The file.</param>
    /// <param name="cancellationToken">Gives up; nothing is left then.</param>
    /// <returns>Where it is. Whoever asked deletes it.</returns>
    /// <exception cref="IOException">The disk is full (with this desk's own message), or the connection was lost.</exception>
    public async Task<string> TakeAsync(Stream from, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(from);
        _ = Directory.CreateDirectory(_directory, OwnerOnly);
        var path = Path.Combine(_directory, Guid.NewGuid().ToString("N"));
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
            var received = 0L;
            var looked = 0L;
            var told = _time.GetTimestamp();
            for (int length; (length = await from.ReadAsync(piece, cancellationToken)) > 0;)
            {
                await file.WriteAsync(piece.AsMemory(0, length), cancellationToken);
                received += length;
                if (received - looked >= LookAtDiskEvery)
                {
                    looked = received;
                    if (_freeBytes() < 0)
                    {
                        throw new DiskFullException();
                    }
                }

                if (_time.GetElapsedTime(told) >= TellEvery)
                {
                    told = _time.GetTimestamp();
                    Tell(new UploadProgress(received, _state.Progress?.Expected ?? 0), UploadProblem.None, "");
                }
            }

            return path;
        }
        catch
        {
            File.Delete(path);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private void Tell(UploadProgress? progress, UploadProblem problem, string detail)
    {
        _state = new State(progress, problem, detail);
        Changed?.Invoke();
    }

    private sealed record State(UploadProgress? Progress, UploadProblem Problem, string Detail)
    {
        public (UploadProblem Problem, string Detail) ToProblem() => (Problem, Detail);
    }

    /// <summary>The disk became full while a file was written.</summary>
    internal sealed class DiskFullException : IOException;

    private sealed class Turn(UploadDesk desk) : IDisposable
    {
        public void Dispose()
        {
            desk.Tell(null, desk._state.Problem, desk._state.Detail);
            Volatile.Write(ref desk._isTaken, 0);
        }
    }
}
