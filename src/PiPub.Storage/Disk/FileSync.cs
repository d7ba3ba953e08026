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
