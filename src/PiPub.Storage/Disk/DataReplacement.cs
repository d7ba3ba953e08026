using System.Globalization;

namespace PiPub.Storage.Disk;

/// <summary>
/// Puts another state of the box in the place of the present one: prepared beside it while the box runs, put in place at the
/// next start. A plug that is pulled at any moment leaves all of the old state or, after the next start, all of the new one.
/// </summary>
/// <remarks>
/// <para>What is being prepared lies in <c>replacement.new</c> in the data directory; a start removes it. Committing it flushes
/// every file and renames it to <c>replacement</c>: this one rename decides. Every start that finds it moves its entries to
/// their places, one after the other, before anything is opened, and removes it last; a start that was interrupted is gone on
/// with by the next, since an entry that still lies there has not been moved yet.</para>
/// <para>Each entry takes the place of the one of the same name, which is removed. But the former <c>secret</c> is kept beside as
/// <c>secret.replaced-1</c> and so on; blobs join those that are there, since their names are their hashes; and what is made from
/// messages (views, what peers told) goes in any case.</para>
/// </remarks>
public static class DataReplacement
{
    private const string Unfinished = "replacement.new";
    private const string Ready = "replacement";
    private const string Secret = "secret";
    private const string Blobs = "blobs";
    private const string Configuration = "pipub.conf";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>What is made again from what is put in place, and another identity that was to be taken over before.</summary>
    private static readonly string[] MadeAgain = ["views.sqlite", "views.sqlite-wal", "views.sqlite-shm", "views.sqlite-journal", "clocks", "secret.next"];

    private static readonly string[] WithState = ["state.sqlite-wal", "state.sqlite-shm", "state.sqlite-journal"];

    /// <summary>Begins to prepare: an empty directory; one that was begun before is gone.</summary>
    /// <returns>Its path. What is put into it gets the names of the data directory.</returns>
    /// <exception cref="IOException">It cannot be made, or a replacement waits for the next start already.</exception>
    public static string Begin(string dataDirectory)
    {
        if (IsPending(dataDirectory))
        {
            throw new IOException("Something else is to be put in place at the next start already. Restart PiPub first.");
        }

        Discard(dataDirectory);
        return Directory.CreateDirectory(Path.Combine(dataDirectory, Unfinished), OwnerOnly).FullName;
    }

    /// <summary>Removes what was being prepared.</summary>
    public static void Discard(string dataDirectory) => Delete(Path.Combine(dataDirectory, Unfinished));

    /// <summary>Decides: what was prepared is put in place at the next start, whatever happens until then.</summary>
    /// <exception cref="IOException">It is not certain to be on the disk; nothing is decided.</exception>
    public static void Commit(string dataDirectory)
    {
        var unfinished = Path.Combine(dataDirectory, Unfinished);
        FlushTree(unfinished);
        Directory.Move(unfinished, Path.Combine(dataDirectory, Ready));
        FileSync.Directory(dataDirectory);
    }

    /// <summary>Whether something is to be put in place.</summary>
    public static bool IsPending(string dataDirectory) => Directory.Exists(Path.Combine(dataDirectory, Ready));

    /// <summary>
    /// Puts in place what is to be, and removes what was only begun. To be called before anything in the directory is opened.
    /// </summary>
    /// <param name="data">The data directory, locked.</param>
    /// <param name="step">Told before each step; for tests, which stop there.</param>
    /// <param name="configurationFile">The place of <c>pipub.conf</c>, where it is not the data directory.</param>
    /// <returns>True when something was put in place.</returns>
    public static bool Complete(DataDirectory data, Action<string>? step = null, string? configurationFile = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        var directory = data.Path;
        Discard(directory);
        var ready = Path.Combine(directory, Ready);
        if (!Directory.Exists(ready))
        {
            return false;
        }

        foreach (var name in MadeAgain)
        {
            step?.Invoke("remove " + name);
            Delete(Path.Combine(directory, name));
        }

        // In one order always, the secret last: until it is there, a start by hand with an older program would not run at all.
        var names = Directory.GetFileSystemEntries(ready).Select(static path => Path.GetFileName(path)).OrderBy(static name => name == Secret).ThenBy(static name => name, StringComparer.Ordinal);
        foreach (var name in names)
        {
            if (name == Configuration && configurationFile is { Length: > 0 })
            {
                step?.Invoke("put " + name);
                PutElsewhere(Path.Combine(ready, name), configurationFile);
            }
            else
            {
                Put(directory, ready, name, step);
            }
        }

        step?.Invoke("end");
        FileSync.Directory(directory);
        Directory.Delete(ready, recursive: true);
        FileSync.Directory(directory);
        return true;
    }

    private static void Put(string directory, string ready, string name, Action<string>? step)
    {
        var (from, to) = (Path.Combine(ready, name), Path.Combine(directory, name));
        if (name == Blobs)
        {
            Join(from, to, step);
            return;
        }

        if (name == "state.sqlite")
        {
            foreach (var beside in WithState)
            {
                step?.Invoke("remove " + beside);
                Delete(Path.Combine(directory, beside));
            }
        }

        step?.Invoke("remove " + name);
        if (name == Secret && File.Exists(to))
        {
            File.Move(to, FreeName(to));
        }
        else
        {
            Delete(to);
        }

        step?.Invoke("put " + name);
        Directory.Move(from, to);
        FileSync.Directory(directory);
    }

    /// <summary>Puts a file in a place that may be on another disk, whole or not at all.</summary>
    private static void PutElsewhere(string from, string to)
    {
        var beside = to + ".new";
        File.Copy(from, beside, overwrite: true);
        using (var handle = FileSync.OpenUnlocked(beside) ?? throw new IOException($"{beside} is gone."))
        {
            FileSync.Data(handle);
        }

        File.Move(beside, to, overwrite: true);
    }

    private static void Join(string from, string to, Action<string>? step)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            step?.Invoke("put a blob");
            var place = Path.Combine(to, Path.GetRelativePath(from, file));
            var folder = Path.GetDirectoryName(place)!;
            _ = Directory.CreateDirectory(folder);
            File.Move(file, place, overwrite: true);
        }

        if (Directory.Exists(to))
        {
            foreach (var folder in Directory.EnumerateDirectories(to, "*", SearchOption.AllDirectories).Append(to))
            {
                FileSync.Directory(folder);
            }
        }
    }

    private static string FreeName(string secret)
    {
        for (var i = 1; ; i++)
        {
            var name = secret + ".replaced-" + i.ToString(CultureInfo.InvariantCulture);
            if (!File.Exists(name))
            {
                return name;
            }
        }
    }

    private static void FlushTree(string directory)
    {
        foreach (var file in Directory.EnumerateFiles(directory))
        {
            using var handle = FileSync.OpenUnlocked(file) ?? throw new IOException($"{file} is gone.");
            FileSync.Data(handle);
        }

        foreach (var inside in Directory.EnumerateDirectories(directory))
        {
            FlushTree(inside);
        }

        FileSync.Directory(directory);
    }

    private static void Delete(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }
    }
}
