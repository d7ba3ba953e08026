using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Peers;

/// <summary>What connections may cost the box, and how long things may take.</summary>
public sealed record PeerOptions
{
    /// <summary>
    /// Peers connected at one time, both directions. The owner's own tools are not counted. May be changed while peers are
    /// connected: those beyond a lower limit stay until they go by themselves.
    /// </summary>
    public int MaxConnections { get; set; } = 256;

    /// <summary>Peers that the box dials by itself at one time.</summary>
    public int MaxOutgoing { get; init; } = 10;

    /// <summary>Connections at one time from one address (IPv4), or from one /64 (IPv6).</summary>
    public int MaxConnectionsPerAddress { get; init; } = 20;

    /// <summary>New connections a minute from one address, or one /64.</summary>
    public int ConnectionRatePerAddress { get; init; } = 60;

    /// <summary>Handshakes under way at one time. A box that restarts is dialled by all its clients at once; each costs about a millisecond.</summary>
    public int MaxHandshakes { get; init; } = 256;

    /// <summary>Connections at one time that hold the key of one invite.</summary>
    public int MaxConnectionsPerInvite { get; init; } = 4;

    /// <summary>Whether the limits per address apply to loopback too; there they would only hurt the owner's own programs.</summary>
    public bool CountsLoopback { get; init; }

    /// <summary>How long a handshake may take; the JavaScript stack allows the same.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long reaching an address may take, name look-up included, before the handshake.</summary>
    public TimeSpan DialTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A connection without a byte either way for so long is closed, as secret-stack does.</summary>
    public TimeSpan InactivityTimeout { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>A peer that takes none of what waits for it for so long is hung up on: it does not read, whatever it sends.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>The pause between two rallies of a ping, as pull-ping has it.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For how long a peer that broke the protocol is turned away.</summary>
    public TimeSpan OffenceMemory { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>What one connection's calls may cost.</summary>
    public MuxRpcLimits Rpc { get; init; } = MuxRpcLimits.Default;

    /// <summary>Streams that all peers together may have open beyond 256 each: about 1 KiB of memory a stream.</summary>
    public int SharedStreams { get; init; } = 50_000;

    /// <summary>Checks that the numbers make sense.</summary>
    /// <exception cref="ArgumentException">One does not; the text says which and what is allowed.</exception>
    public void Validate()
    {
        AtLeast(1, MaxConnections, nameof(MaxConnections));
        AtLeast(0, MaxOutgoing, nameof(MaxOutgoing));
        AtLeast(1, MaxConnectionsPerAddress, nameof(MaxConnectionsPerAddress));
        AtLeast(1, ConnectionRatePerAddress, nameof(ConnectionRatePerAddress));
        AtLeast(1, MaxHandshakes, nameof(MaxHandshakes));
        AtLeast(1, MaxConnectionsPerInvite, nameof(MaxConnectionsPerInvite));
        AtLeast(0, SharedStreams, nameof(SharedStreams));
        Positive(HandshakeTimeout, nameof(HandshakeTimeout));
        Positive(DialTimeout, nameof(DialTimeout));
        Positive(InactivityTimeout, nameof(InactivityTimeout));
        Positive(StallTimeout, nameof(StallTimeout));
        Positive(PingInterval, nameof(PingInterval));
        Positive(OffenceMemory, nameof(OffenceMemory));
        Rpc.Validate();
    }

    private static void AtLeast(int least, int value, string name)
    {
        if (value < least)
        {
            throw new ArgumentException($"{name} is {value}; allowed is {least} or more.", name);
        }
    }

    private static void Positive(TimeSpan value, string name)
    {
        if (value <= TimeSpan.Zero || value > TimeSpan.FromDays(1))
        {
            throw new ArgumentException($"{name} is {value}; allowed is more than 0 and at most a day.", name);
        }
    }
}
