using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Peers;

/// <content>From a transport to a connection: dialling, the handshake in both roles, and who is let in.</content>
public sealed partial class PeerServer
{
    private static string Explain(Exception e, MultiserverAddress address) => e switch
    {
        OperationCanceledException => $"{address.Host}:{address.Port} did not answer in time.",
        HandshakeException handshake => handshake.Message,
        IOException => $"{address.Host}:{address.Port} cannot be reached: {e.Message}",
        _ => $"Connecting to {address.Host}:{address.Port} failed: {e.Message}",
    };

    private async Task<Peer> DialAsync(MultiserverAddress address, FeedId id, bool publicOnly)
    {
        // Not under the lock that remembers the dial.
        await Task.Yield();
        Interlocked.Increment(ref _running);
        try
        {
            if (_roster.Find(id) is { } present)
            {
                return present.Peer;
            }

            Peers.Connecting(id, address.ToString());
            return await DialAndShakeHandsAsync(address, id, publicOnly);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            var problem = e as PeerConnectException ?? new PeerConnectException(Explain(e, address), e);
            Peers.Failed(id, address.ToString(), problem.Message);
            PeerLog.DialFailed(_logger, address.ToString(), problem.Message);
            throw problem;
        }
        finally
        {
            lock (_dialGate)
            {
                _ = _dials.Remove(id);
            }

            Interlocked.Decrement(ref _running);
        }
    }

    private async Task<Peer> DialAndShakeHandsAsync(MultiserverAddress address, FeedId id, bool publicOnly)
    {
        if (await _policy.AdmitAsync(id, isOutgoing: true, _stopping.Token) == PeerAdmission.Refused)
        {
            throw new PeerConnectException($"The box blocks {id}. Unblock it first.");
        }

        if (!_roster.HasRoom)
        {
            throw new PeerConnectException($"{_options.MaxConnections} peers are connected already, which is the limit.");
        }

        var dialer = _dialers.FirstOrDefault(d => d.CanDial(address))
            ?? throw new PeerConnectException($"This box cannot reach addresses of the kind of {address}.");
        PeerTransport transport;
        using (var time = new Deadline(_options.DialTimeout, _time, _stopping.Token))
        {
            transport = await dialer.DialAsync(address, publicOnly, time.Token);
        }

        PeerConnection connection;
        try
        {
            using var time = new Deadline(_options.HandshakeTimeout, _time, _stopping.Token);
            var result = await SecretHandshake.ConnectAsync(transport.Pipe, _self, id, _network, time.Token);
            connection = Describe(transport, new BoxStream(transport.Pipe, result.Keys), id, PeerRole.Peer, isOutgoing: true);
        }
        catch
        {
            transport.Abort();
            await transport.DisposeAsync();
            throw;
        }

        _ = RunOutgoingAsync(connection);
        return _roster.Find(id)?.Peer ?? connection.Peer;
    }

    private async Task<PeerConnection?> ShakeHandsAsync(PeerTransport transport, LinkedListNode<ConnectionGate.Handshake>? handshake)
    {
        var role = PeerRole.Peer;
        try
        {
            using var time = new Deadline(_options.HandshakeTimeout, _time, _stopping.Token);
            var result = await SecretHandshake.AcceptAsync(
                transport.Pipe,
                _self,
                _network,
                async remote =>
                {
                    var admitted = await AdmitAsync(remote, transport, time.Token);
                    role = admitted ?? role;
                    return admitted is not null;
                },
                time.Token);
            var stream = new BoxStream(transport.Pipe, result.Keys);
            if (role != PeerRole.Probe)
            {
                Accepted?.Invoke(result.Remote, transport);
                return Describe(transport, stream, result.Remote, role, isOutgoing: false);
            }

            FindProbe(result.Remote)?.Invoke(transport);
            await stream.DisposeAsync();
            return null;
        }
        catch (HandshakeException e)
        {
            // The handshake has closed the transport, silently and in order.
            PeerLog.HandshakeFailed(_logger, transport.Description, e.Message);
            return null;
        }
        catch (OperationCanceledException)
        {
            PeerLog.HandshakeFailed(_logger, transport.Description, "It took too long.");
            transport.Abort();
            return null;
        }
        finally
        {
            _gate.HandshakeEnded(handshake);
        }
    }

    /// <summary>What a proven identity may be here; null when it is refused.</summary>
    private async ValueTask<PeerRole?> AdmitAsync(FeedId remote, PeerTransport transport, CancellationToken cancellationToken)
    {
        if (remote == _self.Id)
        {
            return transport.IsLoopback ? PeerRole.Owner : null;
        }

        if (FindProbe(remote) is not null)
        {
            return PeerRole.Probe;
        }

        if (_offenders.Contains(remote))
        {
            return null;
        }

        switch (await _policy.AdmitAsync(remote, isOutgoing: false, cancellationToken))
        {
            case PeerAdmission.Invite:
                return _roster.CountOfInvite(remote) < _options.MaxConnectionsPerInvite ? PeerRole.Invite : null;
            case PeerAdmission.Peer when _roster.HasRoom || _roster.Find(remote) is not null || MakeRoomFor(remote):
                return PeerRole.Peer;
            case PeerAdmission.Peer:
                if (_gateLog.MayWrite(out var heldBack))
                {
                    PeerLog.NotLetIn(_logger, transport.Description, $"{_options.MaxConnections} peers are connected already", heldBack);
                }

                return null;
            default:
                return null;
        }
    }

    /// <summary>
    /// When all places are taken, a stranger gives way to a feed that the box knows: strangers cost nothing, and could otherwise
    /// shut the box's friends out.
    /// </summary>
    private bool MakeRoomFor(FeedId newcomer)
    {
        if (_policy.HopsOf(newcomer) is null)
        {
            return false;
        }

        PeerConnection? stranger = null;
        foreach (var connection in _roster.All())
        {
            if (connection.Role == PeerRole.Peer && !connection.Peer.IsOutgoing && _policy.HopsOf(connection.Peer.Id) is null
                && (stranger is null || connection.Peer.ConnectedAt < stranger.Peer.ConnectedAt))
            {
                stranger = connection;
            }
        }

        if (stranger is null)
        {
            return false;
        }

        _roster.Remove(stranger);
        _ = stranger.Session.CloseAsync();
        return true;
    }

    /// <summary>A token that is cancelled when the time is over or the box stops.</summary>
    private sealed class Deadline : IDisposable
    {
        private readonly CancellationTokenSource _time;
        private readonly CancellationTokenSource _both;

        public Deadline(TimeSpan limit, TimeProvider time, CancellationToken stopping)
        {
            _time = new CancellationTokenSource(limit, time);
            _both = CancellationTokenSource.CreateLinkedTokenSource(_time.Token, stopping);
        }

        public CancellationToken Token => _both.Token;

        public void Dispose()
        {
            _both.Dispose();
            _time.Dispose();
        }
    }
}
