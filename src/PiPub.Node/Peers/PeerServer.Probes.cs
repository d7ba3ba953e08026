using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Peers;

/// <content>
/// Connections that only show that an address works: they end with the handshake, and no session comes of them. Their dialler
/// has a key that was made for the one occasion, so that they do not take the place of the connection that the two peers have.
/// </content>
public sealed partial class PeerServer
{
    private readonly Lock _probeGate = new();
    private readonly Dictionary<FeedId, Action<PeerTransport>> _probes = [];

    /// <summary>
    /// Raised, on whatever thread, when somebody who dialled this box has passed the handshake, whatever they then may do;
    /// not for those of <see cref="AwaitProbe"/>. Handlers must return at once.
    /// </summary>
    public event Action<FeedId, PeerTransport>? Accepted;

    /// <summary>
    /// Reaches an address and has whoever is there prove to be the one that it names; then hangs up. Whoever is there and awaits
    /// the visitor (<see cref="AwaitProbe"/>) makes no session of it either.
    /// </summary>
    /// <param name="address">Where, and whom one expects to meet.</param>
    /// <param name="visitor">The identity to come with.</param>
    /// <param name="publicOnly">See <see cref="IPeerDialer.DialAsync"/>.</param>
    /// <param name="cancellationToken">The caller's time limit.</param>
    /// <exception cref="PeerConnectException">It came to nothing; the message says why.</exception>
    /// <exception cref="OperationCanceledException">The caller's time was over, or the box stops.</exception>
    public async Task ProbeAsync(MultiserverAddress address, KeyPair visitor, bool publicOnly, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(address);
        var dialer = _dialers.FirstOrDefault(d => d.CanDial(address))
            ?? throw new PeerConnectException($"This box cannot reach addresses of the kind of {address}.");
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        Interlocked.Increment(ref _running);
        try
        {
            await using var transport = await dialer.DialAsync(address, publicOnly, both.Token);
            try
            {
                var result = await SecretHandshake.ConnectAsync(transport.Pipe, visitor, address.Key!.Value, _network, both.Token);
                await new BoxStream(transport.Pipe, result.Keys).DisposeAsync();
            }
            catch
            {
                transport.Abort();
                throw;
            }
        }
        catch (Exception e) when (e is not (PeerConnectException or OperationCanceledException or OutOfMemoryException))
        {
            throw new PeerConnectException(Explain(e, address), e);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    /// <summary>Until it is disposed, whoever comes with that key is let in for the handshake and no further.</summary>
    /// <param name="visitor">A key made for this.</param>
    /// <param name="arrived">Told of each that came. Must return at once.</param>
    public IDisposable AwaitProbe(FeedId visitor, Action<PeerTransport> arrived)
    {
        lock (_probeGate)
        {
            _probes.Add(visitor, arrived);
        }

        return new AwaitedProbe(this, visitor);
    }

    private Action<PeerTransport>? FindProbe(FeedId visitor)
    {
        lock (_probeGate)
        {
            return _probes.GetValueOrDefault(visitor);
        }
    }

    private sealed class AwaitedProbe(PeerServer server, FeedId visitor) : IDisposable
    {
        public void Dispose()
        {
            lock (server._probeGate)
            {
                _ = server._probes.Remove(visitor);
            }
        }
    }
}
