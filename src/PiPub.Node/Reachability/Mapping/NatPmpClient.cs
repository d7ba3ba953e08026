using System.Net;
using System.Net.Sockets;

namespace PiPub.Node.Reachability.Mapping;

/// <summary>Asks a router in NAT-PMP, through libnatpmp.</summary>
/// <remarks>Source: RFC 6886. IPv4 only. UDP to the default gateway's port 5351; the router maps to the address that asks.</remarks>
internal sealed class NatPmpClient(BlockingCalls calls) : IMappingClient
{
    /// <summary>How long one question is repeated: sent four times. The RFC's nine times take two minutes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3.5);

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public MappingProtocol Protocol => MappingProtocol.NatPmp;

    /// <inheritdoc/>
    public TimeSpan? LookAgain => null;

    /// <inheritdoc/>
    public bool Serves(AddressFamily family) => family == AddressFamily.InterNetwork;

    /// <inheritdoc/>
    public async Task<MappingAnswer> MapAsync(MappingRequest request, CancellationToken cancellationToken)
    {
        if (!NatPmpLibrary.IsThere)
        {
            return MappingAnswer.Silent("Not tried: the library libnatpmp.so.1 is missing (Debian package libnatpmp1).");
        }

        try
        {
            return await calls.RunAsync(stop => Map(request, stop), Limit, cancellationToken);
        }
        catch (TimeoutException)
        {
            return MappingAnswer.Silent("The router did not answer in time.");
        }
    }

    /// <inheritdoc/>
    public async Task UnmapAsync(MappingRequest request, CancellationToken cancellationToken)
    {
        if (!NatPmpLibrary.IsThere)
        {
            return;
        }

        try
        {
            _ = await calls.RunAsync(stop => Unmap(request, stop), Limit, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // The lease will run out by itself.
        }
    }

    private static MappingAnswer Map(MappingRequest request, CancellationToken stop)
    {
        var state = default(NatPmpLibrary.State);
        if (NatPmpLibrary.Open(ref state, BitConverter.ToUInt32(request.Route.Gateway.GetAddressBytes())) < 0)
        {
            return MappingAnswer.Silent("The router could not be asked: there is no way to it now.");
        }

        try
        {
            var result = NatPmpLibrary.AskAddress(ref state);
            var outside = default(NatPmpLibrary.Response);
            result = result < 0 ? result : Receive(ref state, NatPmpLibrary.PublicAddress, 0, stop, out outside);
            if (result < 0)
            {
                return Refusal(result);
            }

            var address = new IPAddress(outside.Address);
            result = NatPmpLibrary.AskMapping(ref state, (ushort)request.Port, (ushort)request.ExternalPort, (uint)request.Lifetime.TotalSeconds);
            var mapped = default(NatPmpLibrary.Response);
            result = result < 0 ? result : Receive(ref state, NatPmpLibrary.Tcp, request.Port, stop, out mapped);
            return result < 0 ? Refusal(result)
                : mapped is { PublicPort: not 0, Lifetime: not 0 } ? MappingAnswer.Granted(address, mapped.PublicPort, TimeSpan.FromSeconds(mapped.Lifetime), mapped.Epoch)
                : MappingAnswer.Refused("The router agreed, but to no port or for no time.");
        }
        finally
        {
            NatPmpLibrary.Close(ref state);
        }
    }

    private static int Unmap(MappingRequest request, CancellationToken stop)
    {
        var state = default(NatPmpLibrary.State);
        if (NatPmpLibrary.Open(ref state, BitConverter.ToUInt32(request.Route.Gateway.GetAddressBytes())) < 0)
        {
            return NatPmpLibrary.TryAgain;
        }

        try
        {
            // Source: RFC 6886 section 3.4: lifetime 0 and external port 0.
            var result = NatPmpLibrary.AskMapping(ref state, (ushort)request.Port, 0, 0);
            return result < 0 ? result : Receive(ref state, NatPmpLibrary.Tcp, request.Port, stop, out _);
        }
        finally
        {
            NatPmpLibrary.Close(ref state);
        }
    }

    /// <summary>Waits for the answer to what was asked; what is not that is passed over.</summary>
    private static int Receive(ref NatPmpLibrary.State state, ushort type, int port, CancellationToken stop, out NatPmpLibrary.Response response)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            NatPmpLibrary.Wait(ref state, 50);
            var result = NatPmpLibrary.Read(ref state, out response);
            if (result == 0 && response.Type == type && (type != NatPmpLibrary.Tcp || response.PrivatePort == port))
            {
                return 0;
            }

            if (result is not (0 or NatPmpLibrary.TryAgain or NatPmpLibrary.WrongPacketSource))
            {
                return result;
            }

            if (TimeProvider.System.GetElapsedTime(since) > Patience)
            {
                return NatPmpLibrary.TryAgain;
            }
        }
    }

    private static MappingAnswer Refusal(int result) => result switch
    {
        NatPmpLibrary.TryAgain => MappingAnswer.Silent("The router does not answer."),
        NatPmpLibrary.NoGatewaySupport => MappingAnswer.Silent("The router does not speak it, or it is switched off there."),
        NatPmpLibrary.UnsupportedVersion => MappingAnswer.Silent("The router speaks another version of NAT-PMP."),
        NatPmpLibrary.UnsupportedOpcode => MappingAnswer.Refused("The router does not offer to pass TCP connections on."),
        NatPmpLibrary.NotAuthorized => MappingAnswer.Refused("The router does not allow it to this machine."),
        NatPmpLibrary.NetworkFailure => MappingAnswer.Refused("The router has no connection to the internet now, or no public address."),
        NatPmpLibrary.OutOfResources => MappingAnswer.Refused("The router has no room for another port now."),
        _ => MappingAnswer.Silent($"The router could not be asked (libnatpmp error {result})."),
    };
}
