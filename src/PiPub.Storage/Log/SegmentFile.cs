using Microsoft.Win32.SafeHandles;
using PiPub.Storage.Disk;

namespace PiPub.Storage.Log;

/// <summary>
/// One file of the log: the bytes from one position up to the next segment's, at offset position minus <see cref="Start"/>.
/// </summary>
internal class SegmentFile : IDisposable
{
    private const string Extension = ".log";
    private readonly SafeFileHandle _handle;

    public SegmentFile(string directory, long start)
    {
        Start = start;
        Path = System.IO.Path.Combine(directory, start.ToString("x16") + Extension);
        _handle = File.OpenHandle(Path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
    }

    /// <summary>The position of the first byte.</summary>
    public long Start { get; }

    public string Path { get; }

    /// <summary>The length in bytes on the disk.</summary>
    public long Length => RandomAccess.GetLength(_handle);

    /// <summary>The starts of the segments in a directory, in order.</summary>
    public static long[] List(string directory)
    {
        var starts = new List<long>();
        foreach (var path in Directory.EnumerateFiles(directory, "*" + Extension))
        {
            var name = System.IO.Path.GetFileNameWithoutExtension(path);
            if (name.Length == 16 && long.TryParse(name, System.Globalization.NumberStyles.AllowHexSpecifier, null, out var start) && start >= 0)
            {
                starts.Add(start);
            }
        }

        starts.Sort();
        return [.. starts];
    }

    /// <summary>Reads at a position as many bytes as there are, up to the buffer's length.</summary>
    public int Read(long position, Span<byte> buffer)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            var read = RandomAccess.Read(_handle, buffer[total..], position - Start + total);
            if (read == 0)
            {
                break;
            }

            total += read;
        }

        return total;
    }

    /// <summary>Writes at a position.</summary>
    public virtual void Write(long position, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_handle, bytes, position - Start);

    /// <summary>Makes what was written survive a pulled plug.</summary>
    public virtual void Flush() => FileSync.Data(_handle);

    /// <summary>Cuts the file off at a position.</summary>
    public virtual void Cut(long position)
    {
        RandomAccess.SetLength(_handle, position - Start);
        FileSync.Data(_handle);
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => _handle.Dispose();
}
