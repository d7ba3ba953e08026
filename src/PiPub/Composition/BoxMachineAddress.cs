using System.Globalization;
using System.Net;
using PiPub.Appliance.Network;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Sentences;
using PiPub.Web.Settings;

namespace PiPub.Composition;

/// <summary>The machine's own address as the pages show and change it.</summary>
/// <param name="networks">The networks that the machine is in.</param>
/// <param name="trial">Changes the address; null where PiPub may not.</param>
internal sealed class BoxMachineAddress(Func<IReadOnlyList<LocalNetwork>> networks, AddressTrial? trial) : IMachineAddress
{
    public bool CanChange => trial is not null;

    public AddressOnTrial? OnTrial => trial?.Tried is { } tried ? new AddressOnTrial(tried.Address, tried.Until) : null;

    public IReadOnlyList<MachineNetwork> Networks() =>
    [
        .. networks().Select(network => new MachineNetwork(
            network.Name,
            [.. network.Addresses.Where(static address => !address.IsTemporary).Select(static address => string.Create(CultureInfo.InvariantCulture, $"{Plain(address.Address)}/{address.PrefixLength}"))],
            [.. network.Gateways.Select(static router => Plain(router))],
            Fixed(network.Name))),
    ];

    public async Task<AddressProblem> TryAsync(string network, FixedAddressText? address, CancellationToken cancellationToken)
    {
        if (trial is null || networks().All(one => one.Name != network))
        {
            throw new RefusedException(Sentence.Of($"The address of this machine cannot be changed here."));
        }

        FixedAddress? wish = null;
        if (address is not null)
        {
            var fault = FixedAddress.TryRead(address.Address, address.PrefixLength, address.Router, address.NameServers, out wish);
            if (fault == AddressFault.None && IsSomebodyElses(wish!.Address) && await AddressProbe.IsInUseAsync(wish.Address, cancellationToken))
            {
                fault = AddressFault.InUse;
            }

            if (fault != AddressFault.None)
            {
                return Problem(fault);
            }
        }

        try
        {
            await trial.BeginAsync(network, wish, cancellationToken);
            return AddressProblem.None;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new RefusedException(Sentence.Of($"The address was not changed. {e.Message}"), e);
        }
    }

    public Task<bool> ConfirmAsync(IPAddress? reachedAt) => trial?.ConfirmAsync(reachedAt) ?? Task.FromResult(false);

    public Task TakeBackAsync() => trial?.TakeBackAsync() ?? Task.CompletedTask;

    private FixedAddressText? Fixed(string network) => trial?.FixedAddressOf(network) is { } address
        ? new FixedAddressText(address.Address.ToString(), address.PrefixLength, address.Router.ToString(), string.Join(", ", address.NameServers.Where(server => !server.Equals(address.Router))))
        : null;

    private bool IsSomebodyElses(IPAddress address) => networks().All(network => network.Addresses.All(own => !own.Address.Equals(address)));

    private static AddressProblem Problem(AddressFault fault) => fault switch
    {
        AddressFault.NotUsable => AddressProblem.NotUsable,
        AddressFault.PrefixLength => AddressProblem.PrefixLength,
        AddressFault.SubnetOrBroadcast => AddressProblem.NetworkItself,
        AddressFault.RouterElsewhere => AddressProblem.RouterElsewhere,
        AddressFault.RouterIsSame => AddressProblem.RouterIsSame,
        AddressFault.NameServer => AddressProblem.NameServer,
        _ => AddressProblem.InUse,
    };

    /// <summary>Without the number of the interface, which only this machine understands.</summary>
    private static string Plain(IPAddress address) => address.ToString().Split('%')[0];
}
