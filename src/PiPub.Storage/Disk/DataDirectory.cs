using System.Globalization;
using System.Text;

namespace PiPub.Storage.Disk;

/// <summary>
/// The one directory that a box keeps everything in, open to its user alone and locked by one process at a time.
/// </summary>
/// <remarks>
/// The lock is the kernel's (flock on <c>lock</c>): it is gone with its process, however that ends. The number written
/// inside is only for the message that the next process shows.
/// </remarks>
public sealed class DataDirectory : IDisposable
{
    /// <summary>What must be free to start when nothing else is configured: room for a few minutes of everything, in bytes.</summary>
    public const long DefaultReserveBytes = 64L << 20;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly FileStream _lock;

    private DataDirectory(string path, FileStream @lock)
    {
        Path = path;
        _lock = @lock;
    }

    /// <summary>The full path.</summary>
    public string Path { get; }

    /// <summary>Where the message log's segments lie.</summary>
    public string LogPath => System.IO.Path.Combine(Path, "log");

    /// <summary>Where the blobs lie.</summary>
    public string BlobsPath => System.IO.Path.Combine(Path, "blobs");

    /// <summary>The file of the views made from the log.</summary>
    public string ViewsPath => System.IO.Path.Combine(Path, "views.sqlite");

    /// <summary>Bytes that may still be written here.</summary>
    public long FreeBytes => Free(Path);

    /// <summary>The size of its disk in bytes.</summary>
    public long TotalBytes => new DriveInfo(Path).TotalSize;

    /// <summary>Opens the directory, made when missing, and locks it.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="reserveBytes">What must be free on its disk to start.</param>
    /// <exception cref="DataDirectoryException">It is in use, full, or cannot be written; the message says what to do.</exception>
    public static DataDirectory Open(string path, long reserveBytes = DefaultReserveBytes)
    {
        path = System.IO.Path.GetFullPath(path);
        FileStream? @lock = null;
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
            @lock = Lock(path);
            var free = Free(path);
            if (free < reserveBytes)
            {
                throw new DataDirectoryException(
                    $"The disk of {path} is too full to start safely: {Megabytes(free)} are free, {Megabytes(reserveBytes)} are needed. "
                    + "Nothing was changed. Free some space there, or move the data directory to a larger disk.");
            }

            @lock.SetLength(0);
            @lock.Write(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"));
            @lock.Flush();
            return new DataDirectory(path, @lock);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException && error is not DataDirectoryException)
        {
            @lock?.Dispose();
            throw new DataDirectoryException(
                $"The data directory {path} cannot be used: {error.Message.TrimEnd('.')}. Check that it is a directory which this user may write to.", error);
        }
        catch
        {
            @lock?.Dispose();
            throw;
        }
    }

    /// <summary>Lets the next process in.</summary>
    public void Dispose() => _lock.Dispose();

    private static FileStream Lock(string path)
    {
        var file = System.IO.Path.Combine(path, "lock");
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException error) when (error is not (DirectoryNotFoundException or FileNotFoundException) && Owner(file) is { } owner)
        {
            throw new DataDirectoryException(
                $"PiPub is already running on {path}{owner}. Two at once would damage it. Stop that one first, or give this one another data directory.", error);
        }
    }

    /// <summary>Who holds the lock, as text for a person; null when the file cannot even be opened.</summary>
    private static string? Owner(string file)
    {
        using var handle = FileSync.OpenUnlocked(file);
        if (handle is null)
        {
            return null;
        }

        Span<byte> text = stackalloc byte[16];
        var length = RandomAccess.Read(handle, text, 0);
        return int.TryParse(text[..length].TrimEnd((byte)'\n'), NumberStyles.None, CultureInfo.InvariantCulture, out var process)
            ? $" (process {process})" : "";
    }

    private static long Free(string path) => new DriveInfo(path).AvailableFreeSpace;

    private static string Megabytes(long bytes) => $"{bytes / 1e6:N1} MB";
}

/// <summary>The data directory cannot be used. The message is for a person.</summary>
public sealed class DataDirectoryException : IOException
{
    /// <summary>Says what is wrong and what to do.</summary>
    public DataDirectoryException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
