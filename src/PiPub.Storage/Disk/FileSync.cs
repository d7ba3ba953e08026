using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PiPub.Storage.Disk;

/// <summary>
/// Makes what was written survive a pulled plug. The data of a file needs fdatasync (its size included, its times not);
/// a file's appearing under its name needs an fsync of the directory.
/// </summary>
public static partial class FileSync
{
    private const int CloseOnExec = 0x80000;
    private const int ReadOnlyDirectory = 0x10000 | CloseOnExec; // O_DIRECTORY on x64
    private const int ReadOnlyDirectoryArm = 0x4000 | CloseOnExec; // and on arm and arm64
    private const int Interrupted = 4;

    /// <summary>Flushes a file's data, and of its metadata only what is needed to read the data again.</summary>
    /// <exception cref="IOException">The disk is full or failing.</exception>
    public static void Data(SafeFileHandle file)
    {
        while (fdatasync(file) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
            {
                throw Failed(error);
            }
        }
    }

    /// <summary>Flushes a directory: names made, renamed or removed in it stay so.</summary>
    /// <exception cref="IOException">The disk is failing.</exception>
    public static void Directory(string path)
    {
        var flags = RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 ? ReadOnlyDirectoryArm : ReadOnlyDirectory;
        var descriptor = open(path, flags);
        if (descriptor < 0)
        {
            throw Failed(Marshal.GetLastPInvokeError());
        }

        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        while (fsync(handle) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
            {
                throw Failed(error);
            }
        }
    }

    /// <summary>
    /// Puts content in the place of a small file: whole or not at all, there after a pulled plug, and never readable by others than it
    /// will be. What is written meanwhile stands beside it, with <c>.new</c> behind its name.
    /// </summary>
    /// <param name="path">The file; its directory is there.</param>
    /// <param name="content">What it holds afterwards.</param>
    /// <param name="mode">Who may do what with it; null for what a new file of this process usually has.</param>
    /// <param name="prepare">Done with the new file before it appears under its name; null for nothing.</param>
    /// <exception cref="IOException">The disk is full or failing; what was there is there still.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content, UnixFileMode? mode = null, Action<string>? prepare = null)
    {
        path = Path.GetFullPath(path);
        var beside = path + ".new";
        File.Delete(beside);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (mode is { } first)
        {
            options.UnixCreateMode = first | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(beside, options))
        {
            file.Write(content);
            file.Flush();
            if (mode is { } last)
            {
                File.SetUnixFileMode(file.SafeFileHandle, last);
            }

            Data(file.SafeFileHandle);
        }

        prepare?.Invoke(beside);
        File.Move(beside, path, overwrite: true);
        Directory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Opens a file for reading without the advisory lock that .NET takes, which would wait on a locked file's owner.</summary>
    public static SafeFileHandle? OpenUnlocked(string path)
    {
        var descriptor = open(path, CloseOnExec);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static IOException Failed(int error) => new(new Win32Exception(error).Message, error);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle fd);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);
}
