using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Lan;

namespace PiPub.Node.Discovery;

/// <summary>What discovery by UDP needs to know of the box.</summary>
/// <param name="Self">Who announces.</param>
/// <param name="Network">The key of the network.</param>
/// <param name="Bound">The addresses on which peers are listened for; empty for all.</param>
public sealed record LanIdentity(KeyPair Self, NetworkKey Network, IReadOnlyList<IPAddress> Bound);

/// <summary>
/// Announces the box on every local network every two seconds, and hears others, by UDP broadcast (IPv4) and multicast (IPv6).
/// </summary>
/// <remarks>
/// <para>Sources: ssb-lan 1.2.3 lib/index.js; ssb-local 1.0.0 index.js; dgram-broadcast 1.0.0. Those send IPv4 only, on one interface.</para>
/// <para>One timer does everything that recurs; packets are made once for each state of the network. One thread with a small stack
/// hears all sockets. In a flood it looks at them a hundred times a second, and what does not fit into the kernel's small
/// buffers meanwhile is lost unseen.</para>
/// </remarks>
public sealed partial class LanDiscovery : IAsyncDisposable
{
    /// <summary>How many packets at once begin to look like a flood.</summary>
    private const int Many = 16;

    /// <summary>Packets taken from a socket before a rest.</summary>
    private const int MostAtOnce = 256;

    private const int StackSize = 256 * 1024;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>An address that has just come cannot be sent from at once: IPv6 first asks whether another has it.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(10);

    private readonly LanIdentity _identity;
    private readonly NetworkWatch _watch;
    private readonly LanPeers _peers;
    private readonly LanListener _listener;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SeldomLog _sendErrors;
    private readonly Lock _sending = new();
    private readonly List<LanSocket> _sockets = [];
    private Thread? _listening;
    private IReadOnlyList<LanSending> _sendings = [];
    private ITimer? _timer;
    private int _port;
    private long _changedAt;
    private volatile bool _isStale = true;
    private volatile bool _isStopping;

    /// <summary>Joins the parts. No socket is opened before <see cref="Start"/>.</summary>
    public LanDiscovery(LanIdentity identity, NetworkWatch watch, Neighbourhood neighbourhood, LanPeers peers, TimeProvider time, ILogger<LanDiscovery> logger)
    {
        ArgumentNullException.ThrowIfNull(identity);
        (_identity, _watch, _peers, _time, _logger) = (identity, watch, peers, time, logger);
        Counters = new LanCounters(time);
        _listener = new LanListener(identity.Self.Id, identity.Network, neighbourhood, peers, Counters, time);
        _sendErrors = new SeldomLog(time);
    }

    /// <summary>What became of packets.</summary>
    public LanCounters Counters { get; }

    /// <summary>Begins to announce and to listen.</summary>
    /// <param name="ssbPort">The port on which peers are listened for.</param>
    public void Start(int ssbPort)
    {
        _port = ssbPort;
        Open(LanMeans.Plain, PlainPacket.Port);
        Open(LanMeans.Encrypted, EncryptedPacket.Port);
        var heard = _sockets.FindAll(static socket => socket.IsListening).ToArray();
        if (heard.Length > 0)
        {
            _listening = new Thread(() => Listen(heard), StackSize) { IsBackground = true, Name = "LAN discovery" };
            _listening.Start();
        }

        _timer = _time.CreateTimer(static discovery => ((LanDiscovery)discovery!).Tick(), this, TimeSpan.Zero, Interval);
        _watch.Changed += NetworkChanged;
    }

    /// <summary>Stops. Nothing is said to neighbours: they notice the silence.</summary>
    public async ValueTask DisposeAsync()
    {
        _watch.Changed -= NetworkChanged;
        _isStopping = true;
        if (_timer is not null)
        {
            await _timer.DisposeAsync();
        }

        _sockets.ForEach(static socket => socket.Wake());
        _listening?.Join();
        lock (_sending)
        {
            _sockets.ForEach(static socket => socket.Dispose());
            _sockets.Clear();
        }
    }

    private void Open(LanMeans means, int port)
    {
        foreach (var family in (ReadOnlySpan<AddressFamily>)[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
        {
            var socket = LanSocket.Open(family, means, port, out var error);
            if (socket is not null)
            {
                _sockets.Add(socket);
            }

            if (error is not null && !(socket is null && family == AddressFamily.InterNetworkV6))
            {
                CannotListen(port, family == AddressFamily.InterNetwork ? "IPv4" : "IPv6", error.Message.TrimEnd('.'));
            }
        }
    }

    private void NetworkChanged()
    {
        _isStale = true;
        try
        {
            _ = _timer?.Change(TimeSpan.Zero, Interval);
        }
        catch (ObjectDisposedException)
        {
            // Stopped meanwhile.
        }
    }

    /// <summary>Everything that recurs.</summary>
    private void Tick()
    {
        try
        {
            if (_isStale)
            {
                _isStale = false;
                _changedAt = _time.GetTimestamp();
                _listener.Forget();
                _peers.Recheck();
                lock (_sending)
                {
                    _sendings = LanAnnouncements.Make(_watch.Current, _identity.Bound, _port, _identity.Self, _identity.Network);
                }
            }

            _listener.ForgetSilent();
            _peers.Expire();
            Announce();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Failed(e);
        }
    }

    private void Announce()
    {
        lock (_sending)
        {
            foreach (var sending in _sendings)
            {
                var isIpv6 = sending.Destination.AddressFamily == AddressFamily.InterNetworkV6;
                if (_sockets.Find(socket => socket.Means == sending.Means && socket.IsIpv6 == isIpv6) is { } socket)
                {
                    Send(socket, sending);
                }
            }
        }
    }

    private void Send(LanSocket socket, LanSending sending)
    {
        try
        {
            socket.Send(sending.Packet, sending.Interface, sending.To);
            Counters.CountSent();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The interface may just be going down; the others are not to suffer.
            Counters.CountSendError();
            if (_time.GetElapsedTime(_changedAt) > Settling && _sendErrors.MayWrite(out var heldBack))
            {
                CannotSend(sending.InterfaceName, sending.Destination, e.Message, heldBack);
            }
        }
    }

    private void Listen(LanSocket[] sockets)
    {
        while (!_isStopping)
        {
            try
            {
                var ready = LanSocket.Wait(sockets, Interval);
                var count = 0;
                for (var i = 0; i < sockets.Length; i++)
                {
                    count += (ready & (1u << i)) != 0 ? TakeAll(sockets[i]) : 0;
                }

                // None, though one was ready: an error was told of, or a damaged packet thrown away.
                if (count >= Many || (count == 0 && ready != 0))
                {
                    Thread.Sleep(Rest);
                }
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                Failed(e);
                Thread.Sleep(Interval);
            }
        }
    }

    private int TakeAll(LanSocket socket)
    {
        var count = 0;
        while (count < MostAtOnce && socket.TryReceive(out var packet, out var source))
        {
            _listener.Take(packet, source, socket.Means);
            count++;
        }

        return count;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "UDP port {Port} ({Family}) cannot be listened on: {Reason}. Another program keeps it for itself. Whoever announces itself there on the local network is not seen; everything else goes on.")]
    private partial void CannotListen(int port, string family, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message =
        "The box could not be announced on {Interface} to {Destination}: {Reason}. It is tried again every two seconds. (Not told of: {HeldBack} more.)")]
    private partial void CannotSend(string @interface, IPEndPoint destination, string reason, int heldBack);

    [LoggerMessage(Level = LogLevel.Error, Message = "Something in discovery on the local network failed that should not have; it goes on.")]
    private partial void Failed(Exception e);
}
