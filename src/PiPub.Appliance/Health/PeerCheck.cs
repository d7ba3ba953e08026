using System.Net;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Appliance.Health;

/// <summary>
/// Whether peers get in: the box calls itself over TCP, with a key made for the occasion, and both sides finish the secret handshake.
/// </summary>
public static class PeerCheck
{
    /// <summary>Calls.</summary>
    /// <param name="server">Who answers, and who calls.</param>
    /// <param name="address">Where peers are listened for.</param>
    /// <param name="port">The port for peers.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What was seen, in words.</returns>
    /// <exception cref="PeerConnectException">The handshake did not come to its end.</exception>
    public static async Task<string> CallAsync(PeerServer server, IPAddress address, int port, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(server);
        var visitor = KeyPair.Generate();
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (server.AwaitProbe(visitor.Id, _ => arrived.TrySetResult()))
        {
            await server.ProbeAsync(MultiserverAddress.Of(MultiserverTransport.Net, address.ToString(), port, server.Id), visitor, publicOnly: false, cancellationToken);
            await arrived.Task.WaitAsync(cancellationToken);
        }

        return $"A secret handshake with itself succeeds at {new IPEndPoint(address, port)}.";
    }
}
