using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Text;

namespace PiPub.Fuzz;

/// <summary>
/// The input that is being executed, in a file in memory that outlasts the process: what overflows the stack or exhausts memory
/// leaves no exception behind.
/// </summary>
internal sealed class RunningInput : IDisposable
{
    private const int Size = 1 << 20;
    private const int Head = 4 + 64;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    public RunningInput(string path)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, mapName: null, Size);
        _view = _file.CreateViewAccessor();
    }

    /// <summary>What ran when the process died last, or null.</summary>
    public (string Target, byte[] Input)? Unfinished
    {
        get
        {
            var length = _view.ReadInt32(0);
            if (length <= 0)
            {
                return null;
            }

            var name = new byte[64];
            _ = _view.ReadArray(4, name, 0, name.Length);
            var input = new byte[length - 1];
            _ = _view.ReadArray(Head, input, 0, input.Length);
            return (Encoding.ASCII.GetString(name).TrimEnd('\0'), input);
        }
    }

    public unsafe void Begin(ReadOnlySpan<byte> name, ReadOnlySpan<byte> input)
    {
        byte* bytes = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref bytes);
        var all = new Span<byte>(bytes, Size);
        all.Slice(4, 64).Clear();
        name.CopyTo(all.Slice(4, 64));
        input.CopyTo(all[Head..]);
        BinaryPrimitives.WriteInt32LittleEndian(all, input.Length + 1);
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
    }

    public void End() => _view.Write(0, 0);

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }
}
