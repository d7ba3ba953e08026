using System.Globalization;
using System.Text;

namespace PiPub.Appliance.Network;

/// <summary>
/// The file by which systemd-networkd gives an interface a fixed address. Where it is missing, the machine's own configuration
/// holds, which asks the router (DHCP).
/// </summary>
/// <remarks>Source: systemd.network(5). The name sorts before those of the system, for the first file that fits an interface is taken.</remarks>
internal static class NetworkFile
{
    private const string Head = "# Written by PiPub, which replaces it when the address is changed on its pages.";

    /// <summary>The file for an interface.</summary>
    /// <exception cref="ArgumentException">The name is none of an interface.</exception>
    public static string PathFor(string directory, string network) => IsName(network)
        ? Path.Combine(directory, $"10-pipub-{network}.network")
        : throw new ArgumentException($"\"{network}\" is no network interface.", nameof(network));

    /// <summary>Its text.</summary>
    public static string Format(string network, FixedAddress address)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Head}\n[Match]\nName={network}\n\n[Network]\nDHCP=no\nIPv6AcceptRA=yes\nAddress={address.Address}/{address.PrefixLength}\nGateway={address.Router}\n");
        foreach (var server in address.NameServers.DefaultIfEmpty(address.Router))
        {
            text.Append(CultureInfo.InvariantCulture, $"DNS={server}\n");
        }

        return text.ToString();
    }

    /// <summary>Reads what <see cref="Format"/> wrote; null for anything else.</summary>
    public static FixedAddress? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        var values = File.ReadLines(path).Take(64).Select(static line => line.Split('=', 2)).Where(static pair => pair.Length == 2).ToLookup(static pair => pair[0].Trim(), static pair => pair[1].Trim());
        var address = values["Address"].FirstOrDefault()?.Split('/');
        return address is [var host, var length] && int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var prefix)
            && FixedAddress.TryRead(host, prefix, values["Gateway"].FirstOrDefault(), string.Join(',', values["DNS"]), out var read) == AddressFault.None
                ? read
                : null;
    }

    // Such as eth0; it becomes part of a path. Linux: at most 15 characters, no slash, no white space.
    private static bool IsName(string network) =>
        network.Length is > 0 and <= 15 && network.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '@') && network is not ("." or "..");
}
