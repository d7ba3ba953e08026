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

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, Visitor> _visitors = [];
    private int _handshakes;

    /// <summary>Lets a connection begin its handshake. When open, <see cref="HandshakeEnded"/> and <see cref="Left"/> must follow.</summary>
    public GateVerdict Enter(IPAddress? remote)
    {
        lock (_gate)
        {
            if (_handshakes >= options.MaxHandshakes)
            {
                return GateVerdict.TooManyHandshakes;
            }

            if (KeyOf(remote) is { } key)
            {
                var now = time.GetTimestamp();
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
    }

    /// <summary>The handshake is over, however it went.</summary>
    public void HandshakeEnded()
    {
        lock (_gate)
        {
            _handshakes--;
        }
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

    private struct Visitor
    {
        public int Connections;
        public int Offences;
        public long LastOffence;
        public long Refilled;
        public double Tokens;
    }
}
