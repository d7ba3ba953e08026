using System.Formats.Asn1;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace PiPub.Web.Https;

/// <summary>
/// What the box's authority may vouch for: names and addresses that exist in homes only. Whoever steals its key from a box can
/// pretend to be that box, and not to be a bank, to those who trust it.
/// </summary>
/// <remarks>
/// Sources: RFC 5280, section 4.2.1.10 (name constraints); RFC 6762 (local), 6761 (localhost), 8375 (home.arpa), ICANN's reservation of
/// internal; RFC 1918, 3927 and 4193 (private addresses).
/// </remarks>
internal static class PermittedNames
{
    private const string NameConstraints = "2.5.29.30";

    private static readonly string[] Domains = ["local", "localhost", "home.arpa", "internal"];

    private static readonly IPNetwork[] Networks =
    [
        IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("fc00::/7"), IPNetwork.Parse("::1/128"),
    ];

    /// <summary>Whether a name, or an address in numbers, is one of a home.</summary>
    public static bool Permits(string name)
    {
        if (IPAddress.TryParse(name, out var address))
        {
            return Array.Exists(Networks, network => network.Contains(address));
        }

        return Uri.CheckHostName(name) == UriHostNameType.Dns && Ascii.IsValid(name)
            && Array.Exists(Domains, domain => name.Equals(domain, StringComparison.OrdinalIgnoreCase) || name.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The same as a critical extension of the authority's certificate.</summary>
    public static X509Extension ToExtension()
    {
        var der = new AsnWriter(AsnEncodingRules.DER);
        using (der.PushSequence())
        using (der.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        {
            foreach (var domain in Domains)
            {
                using (der.PushSequence())
                {
                    der.WriteCharacterString(UniversalTagNumber.IA5String, domain, new Asn1Tag(TagClass.ContextSpecific, 2));
                }
            }

            foreach (var network in Networks)
            {
                using (der.PushSequence())
                {
                    der.WriteOctetString([.. network.BaseAddress.GetAddressBytes(), .. Mask(network)], new Asn1Tag(TagClass.ContextSpecific, 7));
                }
            }
        }

        return new X509Extension(NameConstraints, der.Encode(), critical: true);
    }

    private static byte[] Mask(IPNetwork network)
    {
        var mask = new byte[network.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 4 : 16];
        for (var bit = 0; bit < network.PrefixLength; bit++)
        {
            mask[bit / 8] |= (byte)(0x80 >> (bit % 8));
        }

        return mask;
    }
}
