using System.IO.Pipelines;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Peers;

/// <content>From a connection to its end: its place in the roster, its session, its services, and what is remembered of it.</content>
public sealed partial class PeerServer
{
    private PeerConnection Describe(PeerTransport transport, IDuplexPipe plaintext, FeedId remote, PeerRole role, bool isOutgoing)
    {
        var caller = role switch
        {
            PeerRole.Owner => RpcCallers.Owner,
            PeerRole.Invite => RpcCallers.Invite,
            _ => RpcCallers.Peer,
        };
        var session = new MuxRpcSession(plaintext, remote, _methods, caller, role == PeerRole.Owner, _options.Rpc, _time)
        {
            Streams = role == PeerRole.Owner ? null : _streams,
            MethodFailed = (method, e) =>
            {
                if (role == PeerRole.Owner || _failureLog.MayWrite(out _))
                {
                    PeerLog.MethodFailed(_logger, method, remote.ToString(), e);
                }
            },
        };
        var address = isOutgoing || role == PeerRole.Owner ? transport.Description : $"{transport.Description}~shs:{Convert.ToBase64String(remote.AsSpan())}";
        var peer = new Peer(session, isOutgoing, address, _time.GetUtcNow()) { RemoteAddress = transport.Remote, LocalAddress = transport.Local };
        return new PeerConnection(peer, session, transport, role, _time.GetTimestamp());
    }

    private async Task RunAsync(PeerConnection connection)
    {
        if (!_roster.Add(connection, out var loser))
        {
            await connection.Session.CloseAsync();
            connection.Transport.Abort();
            return;
        }

        if (loser is not null)
        {
            _ = loser.Session.CloseAsync();
        }

        if (connection.Role == PeerRole.Peer)
        {
            _ = EndIfBlockedAsync(connection);
        }

        string? problem = null;
        try
        {
            Begin(connection);
            await connection.Session.RunAsync(_stopping.Token);
            problem = connection.Session.Fault?.Message;
            if (connection.Session.Fault is BoxStreamException)
            {
                Offended(connection, problem!);
            }
        }
        catch (RpcProtocolException e)
        {
            problem = e.Message;
            Offended(connection, problem);
        }
        finally
        {
            _roster.Remove(connection);
            if (connection.Role == PeerRole.Peer)
            {
                Peers.Disconnected(connection.Peer, problem);
                PeerLog.Disconnected(_logger, connection.Peer.Id.ToString(), connection.Peer.Address);
            }

            await connection.Session.DisposeAsync();
        }
    }

    private async Task RunOutgoingAsync(PeerConnection connection)
    {
        Interlocked.Increment(ref _running);
        try
        {
            await RunAsync(connection);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            PeerLog.Unexpected(_logger, connection.Transport.Description, e);
            connection.Transport.Abort();
        }
        finally
        {
            await connection.Transport.DisposeAsync();
            Interlocked.Decrement(ref _running);
        }
    }

    /// <summary>Catches a block that fell between the handshake and the roster, where the block's own event found nobody.</summary>
    private async Task EndIfBlockedAsync(PeerConnection connection)
    {
        try
        {
            if (await _policy.AdmitAsync(connection.Peer.Id, connection.Peer.IsOutgoing, _stopping.Token) == PeerAdmission.Refused)
            {
                await connection.Session.CloseAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The box stops, and all connections with it.
        }
    }

    private void Begin(PeerConnection connection)
    {
        if (connection.Role != PeerRole.Peer)
        {
            return;
        }

        PeerLog.Connected(_logger, connection.Peer.Id.ToString(), connection.Peer.Address);
        Peers.ConnectedTo(connection.Peer);
        foreach (var service in _services)
        {
            _ = Task.Run(() => ServeAsync(service, connection.Peer));
        }
    }

    private async Task ServeAsync(IPeerService service, Peer peer)
    {
        try
        {
            await service.RunAsync(peer, peer.Session.Closed);
        }
        catch (Exception e) when (e is RpcException { IsConnectionLost: true }
            || (e is OperationCanceledException or RpcException && peer.Session.Closed.IsCancellationRequested))
        {
            // The connection has ended, and with it the service.
        }
        catch (InvalidDataException e)
        {
            // The peer's fault, and as often as it likes: no word of an error here.
            if (_nonsenseLog.MayWrite(out var heldBack))
            {
                PeerLog.NotUnderstood(_logger, peer.Id.ToString(), e.Message, heldBack);
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            if (_failureLog.MayWrite(out _))
            {
                PeerLog.ServiceFailed(_logger, service.GetType().Name, peer.Id.ToString(), e);
            }
        }
    }

    private void Offended(PeerConnection connection, string offence)
    {
        connection.Transport.Abort();
        if (connection.Role != PeerRole.Owner)
        {
            _offenders.Add(connection.Peer.Id);
            _gate.Offended(connection.Transport.Remote);
        }

        if (_offenceLog.MayWrite(out var heldBack))
        {
            PeerLog.Offence(_logger, connection.Peer.Id.ToString(), connection.Peer.Address, offence, heldBack);
        }
    }
}
