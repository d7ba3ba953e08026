using System.Net.NetworkInformation;

namespace PiPub.Interop;

/// <summary>
/// The one network that peers under test may see: a Linux network namespace in which loopback is the only interface
/// (tests/run makes it with unshare). Real SSB peers look for others by broadcast; nothing of that may leave the machine.
/// </summary>
internal static class LoopbackNamespace
{
    /// <exception cref="InvalidOperationException">There is an interface that leads out of the machine.</exception>
    public static void Require()
    {
        if (OtherInterface is { } other)
        {
            throw new InvalidOperationException(
                $"These tests start real SSB peers, and the network interface '{other}' leads out of this machine. " +
                "Run them with `make test`, or alone with `tests/run tests/Interop/Interop.csproj`: both make a network namespace that has only loopback.");
        }
    }

    /// <summary>The cable to a box in a container, which tests/Image has made and which ends there, is none.</summary>
    private static string? OtherInterface { get; } = NetworkInterface.GetAllNetworkInterfaces()
        .FirstOrDefault(one => one.NetworkInterfaceType != NetworkInterfaceType.Loopback && one.OperationalStatus != OperationalStatus.Down
            && one.Name != Environment.GetEnvironmentVariable("CABLE_TO_BOX"))?.Name;
}
