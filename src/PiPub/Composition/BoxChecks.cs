using System.Net;
using PiPub.Appliance.Hardware;
using PiPub.Appliance.Health;
using PiPub.Configuration;
using PiPub.Storage.Verification;

namespace PiPub.Composition;

/// <summary>What must hold for the box to be well.</summary>
internal static class BoxChecks
{
    public static IReadOnlyList<HealthCheck> Of(PiPubOptions options, BoxStorage storage, BoxNode node, BoxAddresses addresses, WiredHardware hardware) =>
    [
        // The first page takes twenty megabytes, which a box that nobody looks at does without.
        new("page", stop => PageCheck.FetchAsync(Reached(options.WebBind), addresses.WebPort, stop), IsForWatchdog: false),
        new("peers", stop => PeerCheck.CallAsync(node.Server, Reached(options.SsbBind), addresses.SsbPort, stop)),
        new("log", _ => Task.FromResult(LogTailCheck.Verify(storage.Messages, options.MessageHmacKey) is var count and not 1
            ? $"The {count} newest messages in the log are whole."
            : "The one message in the log is whole.")),
        new("lights", _ => Task.FromResult(hardware.CheckLights()), IsForWatchdog: false),
    ];

    /// <summary>One of the addresses that are listened on, loopback where that is all of them.</summary>
    private static IPAddress Reached(IReadOnlyList<IPAddress> bound) => bound switch
    {
        [] => IPAddress.Loopback,
        _ when bound.Any(IPAddress.IsLoopback) => bound.First(IPAddress.IsLoopback),
        [var first, ..] when first.Equals(IPAddress.Any) => IPAddress.Loopback,
        [var first, ..] when first.Equals(IPAddress.IPv6Any) => IPAddress.IPv6Loopback,
        [var first, ..] => first,
    };
}
