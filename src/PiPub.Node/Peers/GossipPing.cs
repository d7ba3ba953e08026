using System.Buffers.Text;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Peers;

/// <summary>
/// gossip.ping: the two sides play one ball over a duplex. It keeps a connection from being closed as inactive, and shows
/// round trip and clock skew.
/// </summary>
/// <remarks>
/// Every item is the sender's clock, milliseconds since 1970, as a JSON number. The caller serves first. Whoever returned a
/// ball waits five minutes and serves the next. The timeout in the arguments is not asked for by the JavaScript stack
/// either; each side uses its own. Sources: pull-ping 2.0.3; ssb-gossip 1.1.1; ssb-conn 6.0.4 interpool-glue.js.
/// </remarks>
public sealed class GossipPing : IPeerService, IAsyncDisposable
{
    private readonly PeerTable _peers;
    private readonly TimeProvider _time;
    private readonly SharedDelay _untilServing;
    private readonly byte[] _args;

    /// <summary>Sets the table by the clock.</summary>
    public GossipPing(PeerTable peers, PeerOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        _peers = peers;
        _time = time;
        _untilServing = new SharedDelay(options.PingInterval, time);
        _args = System.Text.Encoding.ASCII.GetBytes($"[{{\"timeout\":{(long)options.PingInterval.TotalMilliseconds}}}]");
    }

    /// <summary>Offers <c>gossip.ping</c>.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Duplex("gossip.ping", RpcCallers.Peer, (request, stream, ended) =>
            new Rally(this, request.Session, stream).PlayAsync(serves: false, ended));
    }

    /// <summary>Pings a peer that this box dialled; in the other direction the peer pings.</summary>
    public async Task RunAsync(Peer peer, CancellationToken connectionEnded)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (!peer.IsOutgoing)
        {
            return;
        }

        var stream = peer.Session.Open("gossip.ping", CallType.Duplex, _args);
        try
        {
            await new Rally(this, peer.Session, stream).PlayAsync(serves: true, connectionEnded);
        }
        catch (RpcException)
        {
            // The peer does not play, or no longer; replication does not need it to.
        }
        finally
        {
            stream.Complete();
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _untilServing.DisposeAsync();

    private sealed class Rally
    {
        private readonly GossipPing _game;
        private readonly IRpcSession _session;
        private readonly RpcStream _stream;
        private readonly Action _serve;
        private long _servedAt;
        private bool _isServing;
        private bool _willServe;

        public Rally(GossipPing game, IRpcSession session, RpcStream stream)
        {
            (_game, _session, _stream) = (game, session, stream);
            _serve = Serve;
        }

        public async Task PlayAsync(bool serves, CancellationToken ended)
        {
            if (serves)
            {
                Serve();
            }

            while (await _stream.ReadAsync(ended) is { } ball)
            {
                if (_isServing)
                {
                    _isServing = false;
                    Measure(ball);
                }
                else
                {
                    Send();
                    if (!_willServe)
                    {
                        _willServe = true;
                        _game._untilServing.Call(_serve);
                    }
                }
            }
        }

        private void Serve()
        {
            _willServe = false;
            _isServing = true;
            _servedAt = _game._time.GetTimestamp();
            Send();
        }

        private void Send()
        {
            Span<byte> number = stackalloc byte[24];
            _ = Utf8Formatter.TryFormat(_game._time.GetUtcNow().ToUnixTimeMilliseconds(), number, out var length);
            _ = SendAsync(number[..length].ToArray());
        }

        private async Task SendAsync(byte[] number)
        {
            try
            {
                await _stream.WriteAsync(BodyType.Json, number, _stream.Ended);
            }
            catch (Exception e) when (e is RpcException or OperationCanceledException)
            {
                // The reader will see the end too.
            }
        }

        private void Measure(RpcBody ball)
        {
            if (Utf8Parser.TryParse(ball.Bytes.Span, out double theirs, out _)
                && Math.Abs(theirs) < 1e14
                && _game._peers.FindConnected(_session.Remote) is { } peer
                && ReferenceEquals(peer.Session, _session))
            {
                var roundTrip = _game._time.GetElapsedTime(_servedAt);
                var now = _game._time.GetUtcNow().ToUnixTimeMilliseconds() - (roundTrip.TotalMilliseconds / 2);
                _game._peers.Pinged(peer, roundTrip, TimeSpan.FromMilliseconds(theirs - now));
            }
        }
    }
}
