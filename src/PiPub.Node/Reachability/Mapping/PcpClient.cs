using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace PiPub.Node.Reachability.Mapping;

/// <summary>Asks a router in PCP: maps a port of an IPv4 address, or opens its firewall for a port of an IPv6 address.</summary>
/// <remarks>
/// Source: RFC 6887. The request is sent from the address that is to be mapped, to the default gateway's UDP port 5351; only
/// what comes from there is read. It is repeated after 0.5 s and 1.5 s, each up to a tenth later, and given up after 3.5 s: routers
/// at home answer within milliseconds or never (the RFC's pauses from 3 s up are for carriers' servers; who waits longer is the caller).
/// </remarks>
internal sealed class PcpClient : IMappingClient
{
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)];

    private readonly byte[] _nonceKey;
    private readonly TimeProvider _time;
    private readonly int _port;
    private readonly TimeSpan[] _pauses;

    /// <summary>Prepares; sends nothing.</summary>
    /// <param name="nonceKey">
    /// A secret that stays the same for the life of the box. Nonces are made from it, so that a box that was cut off from power gets its
    /// own mapping back: with a new nonce the router would have to refuse until the old lease has run out (RFC 6887 section 11.3).
    /// </param>
    /// <param name="time">The clock.</param>
    public PcpClient(ReadOnlySpan<byte> nonceKey, TimeProvider time)
        : this(nonceKey, time, PcpMessage.ServerPort, Pauses)
    {
    }

    internal PcpClient(ReadOnlySpan<byte> nonceKey, TimeProvider time, int port, TimeSpan[] pauses) =>
        (_nonceKey, _time, _port, _pauses) = (HMACSHA256.HashData(nonceKey, "PCP mapping nonces"u8), time, port, pauses);

    /// <inheritdoc/>
    public MappingProtocol Protocol => MappingProtocol.Pcp;

    /// <inheritdoc/>
    public TimeSpan? LookAgain => null;

    /// <inheritdoc/>
    public bool Serves(AddressFamily family) => true;

    /// <inheritdoc/>
    public async Task<MappingAnswer> MapAsync(MappingRequest request, CancellationToken cancellationToken)
    {
        var answer = await AskAsync(request, (uint)request.Lifetime.TotalSeconds, _pauses, cancellationToken);
        if (answer is (PcpResult.CannotProvideExternal, _) && request.ExternalAddress is not null)
        {
            // The router has another outer address by now.
            answer = await AskAsync(request with { ExternalAddress = null }, (uint)request.Lifetime.TotalSeconds, _pauses, cancellationToken);
        }

        return answer.Answer;
    }

    /// <inheritdoc/>
    public async Task UnmapAsync(MappingRequest request, CancellationToken cancellationToken)
    {
        try
        {
            // Source: RFC 6887 section 15.1: lifetime 0, no suggestions.
            _ = await AskAsync(request with { ExternalPort = 0, ExternalAddress = null }, 0, _pauses, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The lease will run out by itself.
        }
    }

    /// <summary>The nonce of a mapping: 12 bytes that nobody else can guess.</summary>
    internal byte[] Nonce(IPAddress local, int port) =>
        HMACSHA256.HashData(_nonceKey, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{local} {port}")))[..PcpMessage.NonceBytes];

    private async Task<(PcpResult? Result, MappingAnswer Answer)> AskAsync(MappingRequest request, uint lifetime, TimeSpan[] pauses, CancellationToken cancellationToken)
    {
        var local = request.Route.Local.Address;
        var nonce = Nonce(local, request.Port);
        var message = new byte[PcpMessage.MapBytes];
        PcpMessage.WriteMap(message, local, nonce, request.Port, request.ExternalPort, request.ExternalAddress, lifetime);
        try
        {
            using var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(local, 0));

            // A connected socket only delivers what comes from the router's address and port.
            await socket.ConnectAsync(new IPEndPoint(request.Route.Gateway, _port), cancellationToken);
            var buffer = new byte[PcpMessage.MaxBytes + 1];
            foreach (var pause in pauses)
            {
                _ = await socket.SendAsync(message, cancellationToken);
                using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                using var timer = _time.CreateTimer(static waiting => Cancel((CancellationTokenSource)waiting!), waiting, Jittered(pause), Timeout.InfiniteTimeSpan);
                try
                {
                    while (true)
                    {
                        var length = await socket.ReceiveAsync(buffer, waiting.Token);
                        if (PcpMessage.TryReadMap(buffer.AsSpan(0, length), nonce, request.Port, out var response))
                        {
                            return (response.Result, Judge(response, lifetime));
                        }

                        if (PcpMessage.IsNatPmpRefusal(buffer.AsSpan(0, length)))
                        {
                            return (PcpResult.UnsupportedVersion, MappingAnswer.Silent("The router does not speak PCP, only the older NAT-PMP."));
                        }
                    }
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    // Once more.
                }
            }

            return (null, MappingAnswer.Silent("The router does not answer."));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            // Its answer was that nobody listens.
            return (null, MappingAnswer.Silent("The router does not speak it, or it is switched off there."));
        }
        catch (SocketException e)
        {
            return (null, MappingAnswer.Silent($"The router could not be asked: {e.Message}"));
        }
    }

    private static MappingAnswer Judge(PcpMapResponse response, uint asked) => response.Result switch
    {
        PcpResult.Success when asked == 0 => MappingAnswer.Granted(null, 0, TimeSpan.Zero, response.Epoch),
        PcpResult.Success when response.ExternalPort != 0 && response.Lifetime != 0 =>
            MappingAnswer.Granted(response.ExternalAddress, response.ExternalPort, TimeSpan.FromSeconds(response.Lifetime), response.Epoch),
        PcpResult.Success => MappingAnswer.Refused("The router agreed, but to no port or for no time."),
        PcpResult.UnsupportedVersion => MappingAnswer.Refused("The router speaks another version of PCP."),
        PcpResult.NotAuthorized => MappingAnswer.Refused("The router does not allow it to this machine."),
        PcpResult.UnsupportedOpcode or PcpResult.UnsupportedProtocol => MappingAnswer.Refused("The router does not offer to pass TCP connections on."),
        PcpResult.NetworkFailure => MappingAnswer.Refused("The router has no connection to the internet now."),
        PcpResult.NoResources => MappingAnswer.Refused("The router has no room for another port now."),
        PcpResult.UserExceededQuota => MappingAnswer.Refused("The router does not give this machine any more ports."),
        PcpResult.CannotProvideExternal => MappingAnswer.Refused("The router cannot give the port that was asked for."),
        PcpResult.AddressMismatch => MappingAnswer.Refused("There is another router between this machine and the one that answered."),
        _ => MappingAnswer.Refused($"The router refused (PCP result {(byte)response.Result})."),
    };

    private static TimeSpan Jittered(TimeSpan pause) => pause * (1 + (Random.Shared.NextDouble() / 10));

    private static void Cancel(CancellationTokenSource waiting)
    {
        try
        {
            waiting.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Answered meanwhile.
        }
    }
}
