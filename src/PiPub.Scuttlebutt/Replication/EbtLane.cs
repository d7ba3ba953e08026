using System.Runtime.InteropServices;

namespace PiPub.Scuttlebutt.Replication;

/// <summary>What one session knows of one feed: 16 bytes, as there may be millions.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EbtLane
{
    /// <summary>The sequence that the peer has, by its notes and messages; -1 when it does not replicate the feed. Valid with <see cref="LaneFlags.Known"/>.</summary>
    public int Remote;

    /// <summary>The sequence that we told the peer last, in this session or a remembered one; -1 for "not replicated". Valid with <see cref="LaneFlags.Told"/>.</summary>
    public int Told;

    /// <summary>The sequence up to which the peer has been sent the feed, or has told us that it has it.</summary>
    public int Sent;

    public LaneFlags Flags;

    public readonly bool Has(LaneFlags flags) => (Flags & flags) != LaneFlags.None;

    public void Set(LaneFlags flag, bool value) => Flags = value ? Flags | flag : Flags & ~flag;
}

[Flags]
internal enum LaneFlags
{
    None = 0,

    /// <summary>The peer's sequence is known, from this session or remembered.</summary>
    Known = 1,

    /// <summary>We have told the peer something about the feed, in this session or a remembered one.</summary>
    Told = 2,

    /// <summary>We have told, or are about to tell, the peer something in this session.</summary>
    Spoken = 4,

    /// <summary>The peer wants to be sent what it lacks.</summary>
    Send = 8,

    /// <summary>The feed's author has blocked the peer: it gets nothing of it.</summary>
    Withheld = 16,

    /// <summary>The peer sent something invalid as this feed: nothing more is taken from it in this session.</summary>
    Refused = 32,

    /// <summary>Waits in the queue of notes.</summary>
    NoteQueued = 64,

    /// <summary>Waits in the queue of feeds to send.</summary>
    SendQueued = 128,

    /// <summary>We lost messages that the peer knows us to have: say 0 before the truth, so that it forgets.</summary>
    ZeroFirst = 256,

    /// <summary>We have said that we want the feed after the peer had refused it: whether that has arrived is not known.</summary>
    Unanswered = 512,
}

/// <summary>The lanes of a session by feed number, in pages that appear when first written.</summary>
internal sealed class EbtLanes
{
    private const int PageBits = 7;
    private const int PageSize = 1 << PageBits;

    private EbtLane[]?[] _pages = [];

    public ref EbtLane this[int feed]
    {
        get
        {
            var page = feed >> PageBits;
            if (page >= _pages.Length)
            {
                Array.Resize(ref _pages, Math.Max(page + 1, _pages.Length * 2));
            }

            return ref (_pages[page] ??= new EbtLane[PageSize])[feed & (PageSize - 1)];
        }
    }

    /// <summary>A copy that never allocates; an untouched lane is all zero.</summary>
    public EbtLane Peek(int feed)
    {
        var page = feed >> PageBits;
        return page < _pages.Length && _pages[page] is { } lanes ? lanes[feed & (PageSize - 1)] : default;
    }
}
