using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace PiPub.Node.Peers;

/// <summary>Why a connection was not let in, before a byte was read.</summary>
internal enum GateVerdict
{
    Open,
    TooManyHandshakes,
    TooManyFromThere,
    TooOftenFromThere,
    OffendedBefore,
}

/// <summary>
/// Counts connections and their rate for each remote address, and remembers addresses that offended. An IPv4 address counts
/// alone, an IPv6 one with its /64, which one household owns. Its own memory is bounded.
/// </summary>
internal sealed class ConnectionGate(PeerOptions options, TimeProvider time)
{
    private const int MaxRemembered = 4096;

    /// <summary>Neighbours behind one NAT shall not suffer for a single offence.</summary>
    private const int OffencesToRefuse = 3;

    /// <summary>
    /// What a handshake may take while others wait for its place: two round trips over a usual line. As many newcomers as there are
    /// places come through in that time; with more patience, most would be turned away, whoever they are.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(300);

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, Visitor> _visitors = [];
    private readonly LinkedList<Handshake> _underWay = [];
    private int _handshakes;

    /// <summary>Lets a connection begin its handshake. When open, <see cref="HandshakeEnded"/> and <see cref="Left"/> must follow.</summary>
    public GateVerdict Enter(IPAddress? remote) => Enter(remote, giveWay: null, out _);

    /// <summary>
    /// The same, for a handshake that can be ended before its time. When all places are taken, one that has dawdled gives way: the
    /// oldest of the address that has most under way. So whoever opens connections and says nothing shuts nobody out.
    /// </summary>
    public GateVerdict Enter(IPAddress? remote, Action? giveWay, out LinkedListNode<Handshake>? handshake)
    {
        handshake = null;
        Action? dawdler = null;
        GateVerdict verdict;
        lock (_gate)
        {
            var now = time.GetTimestamp();
            verdict = _handshakes >= options.MaxHandshakes && (dawdler = TakeDawdler(KeyOf(remote), now)) is null
                ? GateVerdict.TooManyHandshakes
                : Enter(remote, now);
            if (verdict == GateVerdict.Open && giveWay is not null)
            {
                handshake = _underWay.AddLast(new Handshake(KeyOf(remote), now, giveWay));
            }
        }

        dawdler?.Invoke();
        return verdict;
    }

    /// <summary>The handshake is over, however it went.</summary>
    public void HandshakeEnded(LinkedListNode<Handshake>? handshake = null)
    {
        lock (_gate)
        {
            _handshakes--;
            if (handshake?.List is not null)
            {
                _underWay.Remove(handshake);
            }
        }
    }

    /// <summary>Takes out the handshake that is to give way; null when none has dawdled, or the newcomer's own address has most.</summary>
    private Action? TakeDawdler(IPAddress? newcomer, long now)
    {
        if (_handshakes >= 2 * options.MaxHandshakes)
        {
            return null; // Those that gave way have not even ended yet.
        }

        var counts = new Dictionary<IPAddress, int>();
        var most = 0;
        foreach (var one in _underWay)
        {
            most = Math.Max(most, ++CollectionsMarshal.GetValueRefOrAddDefault(counts, one.From ?? IPAddress.None, out _));
        }

        if (most > 1 && counts.GetValueOrDefault(newcomer ?? IPAddress.None) == most)
        {
            return null;
        }

        for (var node = _underWay.First; node is not null && time.GetElapsedTime(node.Value.Since, now) >= Patience; node = node.Next)
        {
            if (counts[node.Value.From ?? IPAddress.None] == most)
            {
                _underWay.Remove(node);
                return node.Value.GiveWay;
            }
        }

        return null;
    }

    private GateVerdict Enter(IPAddress? remote, long now)
    {
        if (KeyOf(remote) is { } key)
        {
            MakeRoom(now);
            ref var visitor = ref CollectionsMarshal.GetValueRefOrAddDefault(_visitors, key, out var known);
            if (!known)
            {
                visitor = new Visitor { Tokens = options.ConnectionRatePerAddress, Refilled = now };
            }

            var verdict = Judge(ref visitor, now);
            if (verdict != GateVerdict.Open)
            {
                return verdict;
            }

            visitor.Tokens--;
            visitor.Connections++;
        }

        _handshakes++;
        return GateVerdict.Open;
    }

    /// <summary>The connection is over.</summary>
    public void Left(IPAddress? remote)
    {
        if (KeyOf(remote) is not { } key)
        {
            return;
        }

        lock (_gate)
        {
            ref var visitor = ref CollectionsMarshal.GetValueRefOrNullRef(_visitors, key);
            if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref visitor))
            {
                visitor.Connections--;
            }
        }
    }

    /// <summary>Somebody at that address broke the protocol.</summary>
    public void Offended(IPAddress? remote)
    {
        if (KeyOf(remote) is not { } key)
        {
            return;
        }

        lock (_gate)
        {
            ref var visitor = ref CollectionsMarshal.GetValueRefOrNullRef(_visitors, key);
            if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref visitor))
            {
                visitor.Offences++;
                visitor.LastOffence = time.GetTimestamp();
            }
        }
    }

    private GateVerdict Judge(ref Visitor visitor, long now)
    {
        if (visitor.Offences > 0 && time.GetElapsedTime(visitor.LastOffence, now) >= options.OffenceMemory)
        {
            visitor.Offences = 0;
        }

        var minutes = time.GetElapsedTime(visitor.Refilled, now).TotalMinutes;
        visitor.Tokens = Math.Min(options.ConnectionRatePerAddress, visitor.Tokens + (minutes * options.ConnectionRatePerAddress));
        visitor.Refilled = now;
        return visitor.Offences >= OffencesToRefuse ? GateVerdict.OffendedBefore
            : visitor.Connections >= options.MaxConnectionsPerAddress ? GateVerdict.TooManyFromThere
            : visitor.Tokens < 1 ? GateVerdict.TooOftenFromThere
            : GateVerdict.Open;
    }

    /// <summary>Forgets visitors of whom there is nothing to remember; when all are worth it, the ones longest gone.</summary>
    private void MakeRoom(long now)
    {
        if (_visitors.Count < MaxRemembered)
        {
            return;
        }

        var least = TimeSpan.FromMinutes(1);
        while (_visitors.Count > MaxRemembered * 3 / 4)
        {
            foreach (var (key, visitor) in _visitors)
            {
                if (visitor.Connections == 0 && time.GetElapsedTime(visitor.Refilled, now) >= least)
                {
                    _ = _visitors.Remove(key);
                }
            }

            if (least == TimeSpan.Zero)
            {
                return;
            }

            least = TimeSpan.Zero;
        }
    }

    private IPAddress? KeyOf(IPAddress? remote)
    {
        if (remote is null || (!options.CountsLoopback && IPAddress.IsLoopback(remote)))
        {
            return null;
        }

        if (remote.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return remote;
        }

        Span<byte> bytes = stackalloc byte[16];
        _ = remote.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }

    /// <summary>A handshake that is under way.</summary>
    internal sealed record Handshake(IPAddress? From, long Since, Action GiveWay);

    private struct Visitor
    {
        public int Connections;
        public int Offences;
        public long LastOffence;
        public long Refilled;
        public double Tokens;
    }
}
