using System.Text;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Discovery.Mdns;

/// <summary>What an SSB peer tells of itself in DNS-SD.</summary>
/// <remarks>
/// <para>Sources: RFC 6763 sections 6 (TXT records) and 7 (service names). SSB has no standard for it; <c>_ssb._tcp</c> and
/// the keys are this box's own, chosen to be what a client wants to know.</para>
/// <para>The service's port is the one that SSB's secret handshake is spoken on, and its host's addresses are where. The TXT
/// record has <c>id=@(44 characters of base64).ed25519</c>, and for clients that would rather copy than compose
/// <c>address=net:(host).local:(port)~shs:(key)</c>, WebSocket addresses behind it after a semicolon as far as there is room.
/// A string holds at most 255 bytes, its key included.</para>
/// </remarks>
public static class SsbService
{
    /// <summary>The service's type.</summary>
    public const string Type = "_ssb._tcp";

    /// <summary>The longest string of a TXT record, in bytes.</summary>
    public const int MaxTxtBytes = 255;

    private static ReadOnlySpan<byte> IdKey => "id="u8;

    private static ReadOnlySpan<byte> AddressKey => "address="u8;

    /// <summary>Makes the strings of the TXT record.</summary>
    /// <param name="id">Whom one will meet.</param>
    /// <param name="addresses">Under which addresses, best first.</param>
    public static IReadOnlyList<byte[]> WriteTxt(FeedId id, IReadOnlyList<MultiserverAddress> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        var list = new StringBuilder();
        foreach (var address in addresses)
        {
            // Printable ASCII, by the grammar of addresses.
            var text = address.WithoutSeed().Format();
            var separator = list.Length > 0 ? 1 : 0;
            if (AddressKey.Length + list.Length + separator + text.Length <= MaxTxtBytes)
            {
                list.Append(';', separator).Append(text);
            }
        }

        List<byte[]> strings = [[.. IdKey, .. Encoding.ASCII.GetBytes(id.ToString())]];
        if (list.Length > 0)
        {
            strings.Add([.. AddressKey, .. Encoding.ASCII.GetBytes(list.ToString())]);
        }

        return strings;
    }

    /// <summary>Reads who it is out of the strings of a TXT record; false when that is not told, or not in the one spelling that ids have.</summary>
    public static bool TryReadId(IReadOnlyList<byte[]> txt, out FeedId id)
    {
        ArgumentNullException.ThrowIfNull(txt);
        foreach (var text in txt)
        {
            // Keys are compared without regard to case, and the first one counts (RFC 6763 section 6.4).
            if (text.Length >= IdKey.Length && Ascii.EqualsIgnoreCase(text.AsSpan(0, IdKey.Length), IdKey))
            {
                return FeedId.TryParse(text.AsSpan(IdKey.Length), out id);
            }
        }

        id = default;
        return false;
    }
}
