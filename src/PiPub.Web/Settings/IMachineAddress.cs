using System.Net;
using PiPub.Node.Sentences;

namespace PiPub.Web.Settings;

/// <summary>A network that the machine is in.</summary>
/// <param name="Name">The system's name of it, such as eth0.</param>
/// <param name="Addresses">The machine's addresses there with the lengths of their prefixes, such as 192.168.1.5/24.</param>
/// <param name="Routers">The routers there.</param>
/// <param name="Fixed">The fixed address that was set on the pages; null where the system or the router gives it.</param>
public sealed record MachineNetwork(string Name, IReadOnlyList<string> Addresses, IReadOnlyList<string> Routers, FixedAddressText? Fixed);

/// <summary>A fixed address as a person types it in.</summary>
/// <param name="Address">The IPv4 address.</param>
/// <param name="PrefixLength">Bits that all addresses of the home network share.</param>
/// <param name="Router">The router's address.</param>
/// <param name="NameServers">Addresses with commas between; empty for the router's.</param>
public sealed record FixedAddressText(string Address, int PrefixLength, string Router, string NameServers);

/// <summary>An address that is being tried.</summary>
/// <param name="Address">The fixed one; null when the router gives one.</param>
/// <param name="Until">When the box goes back to the one before.</param>
public sealed record AddressOnTrial(IPAddress? Address, DateTimeOffset Until);

/// <summary>What is wrong with a fixed address.</summary>
public enum AddressProblem
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It is no IPv4 address of a machine.</summary>
    NotUsable,

    /// <summary>The prefix's length is not within 8 to 30.</summary>
    PrefixLength,

    /// <summary>It is the network's own address, or the one that means all of it.</summary>
    NetworkItself,

    /// <summary>The router is elsewhere.</summary>
    RouterElsewhere,

    /// <summary>The router has the same address.</summary>
    RouterIsSame,

    /// <summary>A name server's address is none.</summary>
    NameServer,

    /// <summary>Another machine has it already.</summary>
    InUse,
}

/// <summary>The machine's own address: given by the home network, or fixed.</summary>
public interface IMachineAddress
{
    /// <summary>False where this machine's own system gives it its address, and PiPub may only show it.</summary>
    bool CanChange { get; }

    /// <summary>The address on trial; null while none is.</summary>
    AddressOnTrial? OnTrial { get; }

    /// <summary>The networks that the machine is in.</summary>
    IReadOnlyList<MachineNetwork> Networks();

    /// <summary>Begins to try a fixed address, or with null the one that the router gives. It stays only when it is confirmed.</summary>
    /// <exception cref="RefusedException">It cannot be done; the message says why. All is as before.</exception>
    Task<AddressProblem> TryAsync(string network, FixedAddressText? address, CancellationToken cancellationToken);

    /// <summary>Keeps the address on trial, for whoever has come by it. False for others.</summary>
    /// <param name="reachedAt">The machine's address that the request came to.</param>
    Task<bool> ConfirmAsync(IPAddress? reachedAt);

    /// <summary>Ends the trial: all is as before.</summary>
    Task TakeBackAsync();
}
