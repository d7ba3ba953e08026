using Microsoft.Extensions.Logging;
using PiPub.Node.Sentences;
using PiPub.Storage.Disk;
using PiPub.Storage.State;

namespace PiPub.Node.Backups;

/// <summary>Where and how often backups are made by themselves.</summary>
/// <param name="DataDirectory">Where the key for them is kept.</param>
/// <param name="Directory">Where they go; <see cref="BackupSchedule.OnStick"/> for a stick, null for nowhere.</param>
/// <param name="Every">How often.</param>
/// <param name="Stick">The folder for backups on the USB stick that is in; null while none is.</param>
public sealed record BackupPlan(string DataDirectory, string? Directory, TimeSpan Every, Func<string?>? Stick = null);

/// <summary>
/// Makes backups into a folder by itself, with the key that the owner's passphrase was turned into once, and keeps the newest of
/// them. A folder that is not there, such as a stick that was pulled out, is tried again an hour later.
/// </summary>
public sealed partial class BackupSchedule(BackupMaker maker, BackupPlan plan, BackupTable notes, TimeProvider time, ILogger<BackupSchedule> logger)
{
    /// <summary>So many of this box's backups stay in the folder.</summary>
    public const int Keep = 5;

    /// <summary>How the notes call this way of making backups.</summary>
    public const string Way = "schedule";

    /// <summary>In place of a directory: whichever USB stick is in.</summary>
    public const string OnStick = "usb";

    private const string Unfinished = ".unfinished";
    private static readonly TimeSpan LookAgain = TimeSpan.FromHours(1);

    private TaskCompletionSource _chosen = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? _directory = plan.Directory;

    /// <summary>The folder, or <see cref="OnStick"/>; null where none is chosen.</summary>
    public string? Directory
    {
        get => _directory;
        set
        {
            _directory = value;
            Interlocked.Exchange(ref _chosen, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }
    }

    /// <summary>How often one is made.</summary>
    public TimeSpan Every => plan.Every;

    /// <summary>Whether a passphrase was given.</summary>
    public bool HasKey => BackupKey.Load(plan.DataDirectory) is not null;

    /// <summary>Why the last one since the box runs was not made; null when it was, or none was tried.</summary>
    public Sentence? LastProblem { get; private set; }

    /// <summary>Takes the passphrase for all scheduled backups to come.</summary>
    /// <exception cref="IOException">Its key cannot be kept.</exception>
    public void SetPassphrase(string passphrase) => BackupKey.Create(passphrase).Save(plan.DataDirectory);

    /// <summary>Makes them when they are due, until it is told to stop.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            // Taken before the folder is looked at: a choice after that completes it.
            var chosen = Volatile.Read(ref _chosen);
            if (_directory is null)
            {
                await chosen.Task.WaitAsync(cancellationToken);
            }
            else if (DueIn() is { Ticks: > 0 } wait)
            {
                await Task.Delay(wait < LookAgain ? wait : LookAgain, time, cancellationToken);
            }
            else if (HasKey && await MakeAsync(cancellationToken) is not null)
            {
                await Task.Delay(LookAgain, time, cancellationToken);
            }
            else if (!HasKey)
            {
                await Task.Delay(LookAgain, time, cancellationToken);
            }
        }
    }

    /// <summary>Makes one now.</summary>
    /// <returns>Why it did not succeed, for a person; null when it did.</returns>
    public async Task<Sentence?> MakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            var bytes = await WriteAsync(cancellationToken);
            notes.Succeeded(Way, time.GetUtcNow(), bytes);
            LastProblem = null;
            return null;
        }
        catch (Exception e) when (e is RefusedException or IOException or UnauthorizedAccessException)
        {
            Failed(logger, e);
            notes.Failed(Way, time.GetUtcNow(), e.Message);
            LastProblem = Sentence.From(e);
            return LastProblem;
        }
    }

    /// <summary>Writes a backup to a file that appears under its name only when it is whole and on the disk.</summary>
    /// <exception cref="IOException">It cannot be written, or there is one of that name.</exception>
    public static async Task WriteFileAsync(string path, Func<Stream, Task> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        path = Path.GetFullPath(path);
        var unfinished = path + Unfinished;
        try
        {
            await using (var file = new FileStream(unfinished, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                Options = FileOptions.Asynchronous,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            {
                await write(file);
                await file.FlushAsync();
                FileSync.Data(file.SafeFileHandle);
            }

            File.Move(unfinished, path, overwrite: false);
            FileSync.Directory(Path.GetDirectoryName(path)!);
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
    }

    private async Task<long> WriteAsync(CancellationToken cancellationToken)
    {
        var folder = Folder();
        var key = BackupKey.Load(plan.DataDirectory) ?? throw new RefusedException(Sentence.Of($"Scheduled backups have no passphrase yet. Give them one on the page, or with `pipub backup passphrase`."));
        var bytes = 0L;
        await WriteFileAsync(Path.Combine(folder, maker.FileName), async file => bytes = (await maker.WriteAsync(file, key, cancellationToken)).Bytes);
        RemoveOldest(folder);
        return bytes;
    }

    private string Folder()
    {
        var folder = _directory ?? throw new RefusedException(Sentence.Of($"No folder for backups is configured. Set backup-directory first."));
        if (folder == OnStick)
        {
            folder = plan.Stick?.Invoke() ?? throw new RefusedException(Sentence.Of($"There is no USB stick in the box. Put one in; it is tried again every hour."));
            return System.IO.Directory.CreateDirectory(folder).FullName;
        }

        return System.IO.Directory.Exists(folder)
            ? folder
            : throw new RefusedException(Sentence.Of($"The folder {folder} is not there. If it is on a stick, put the stick in; it is tried again every hour."));
    }

    private TimeSpan DueIn()
    {
        foreach (var note in notes.All())
        {
            if (note.Way == Way && note.Succeeded is { } last)
            {
                var next = last + plan.Every - time.GetUtcNow();

                // A clock that was far ahead once must not put it off for years.
                return next > plan.Every ? TimeSpan.Zero : next;
            }
        }

        return TimeSpan.Zero;
    }

    /// <summary>Only whole backups of this very box, and only those that were made in this way: their names say so.</summary>
    private void RemoveOldest(string folder)
    {
        var files = System.IO.Directory.GetFiles(folder, maker.FilePrefix + "*" + BackupMaker.FileSuffix);
        Array.Sort(files, StringComparer.Ordinal);
        foreach (var file in files.AsSpan(0, Math.Max(0, files.Length - Keep)))
        {
            File.Delete(file);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The scheduled backup was not made.")]
    private static partial void Failed(ILogger logger, Exception e);
}
