using System.Text;
using PiPub.Node.Reachability.Mapping;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Invites;
using PiPub.Scuttlebutt.Lan;

namespace PiPub.Fuzz;

/// <summary>Invite codes as people paste them: a code that was read can be written in both forms and read again.</summary>
internal sealed class InviteCodeTarget : FuzzTarget
{
    private const string Key = "@Gx0xUUz4wtd1BjrGvE0bdKgZDtULZrQWJKe8plOUS1k=.ed25519";
    private const string Seed = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

    public override string Name => "invite-codes";

    public override IEnumerable<byte[]> Seeds => Samples.Words(
        $"pub.example:8008:{Key}~{Seed}",
        $" \"2001:db8::1:8008:{Key}~{Seed}\"\n#x",
        $"wss://[::1]:443:{Key}~{Seed}",
        $"net:192.0.2.1:8008~shs:{Key[1..45]}:{Seed};ws://pub.example~shs:{Key[1..45]}:{Seed}",
        $"net:fe80!:!:1%25eth0:8008~shs:{Key[1..45]}:{Seed}");

    public override IReadOnlyList<byte[]> Words => Samples.Words(Key, Seed, "net:", "ws://", "wss:", "onion:", "~shs:", ".onion", "[::1]", "!:", ";", "~", "#", "65536", "\u200b", "\ud83d");

    public override void Run(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (!InviteCode.TryParse(text, out var code, out var problem))
        {
            Require(problem.Length > 0, "a refusal has a reason");
            return;
        }

        Require(problem.Length == 0, "a code has no problem");
        Require(InviteCode.TryParse(code!.ToLegacyText(), out var again, out _) && again == code, "the form that people know: " + code.ToLegacyText());
        Require(InviteCode.TryParse(code.ToMultiserverText(), out again, out _) && again == code, "the multiserver form: " + code.ToMultiserverText());
        var (secret, shown) = (Convert.ToBase64String(code.Seed.AsSpan()), code.ToString());
        Require(code.Host.Contains(secret, StringComparison.Ordinal) || code.Pub.ToString().Contains(secret, StringComparison.Ordinal) || !shown.Contains(secret, StringComparison.Ordinal), "a code does not show its seed");
    }
}

/// <summary>Multiserver addresses: one that was read can be written and read again, and shows no seed.</summary>
internal sealed class MultiserverTarget : FuzzTarget
{
    private const string Key = "Gx0xUUz4wtd1BjrGvE0bdKgZDtULZrQWJKe8plOUS1k=";

    public override string Name => "multiserver";

    public override IEnumerable<byte[]> Seeds => Samples.Words(
        $"net:pub.example:8008~shs:{Key}",
        $"net:192.168.1.2:8008~shs:{Key};ws://192.168.1.2:8989/x~shs:{Key};unix:/tmp/s~noauth",
        $"wss://pub.example~shs:{Key}:{Key}",
        $"tunnel:@{Key}.ed25519:@{Key}.ed25519~shs:{Key}",
        $"2001:db8::1:8008:@{Key}.ed25519",
        $"ssb:address/multiserver?multiserverAddress=net%3A192.0.2.1%3A8008~shs%3A{Key.Replace("=", "%3D", StringComparison.Ordinal)}");

    public override IReadOnlyList<byte[]> Words => Samples.Words(Key, "net:", "ws://", "wss:", "onion:", "unix:", "~shs:", "~shs2", "~noauth", "!:", "!!", "%3A", "%", ";", "[::1]", ":@", ".ed25519", "multiserverAddress=", "ssb:address/multiserver?", "65535");

    public override void Run(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (MultiserverAddress.TryParseList(text, out var list))
        {
            foreach (var address in list)
            {
                Check(address);
            }
        }

        if (MultiserverAddress.TryParse(text, out var one))
        {
            Require(one.Format() == text, "a text has one reading");
        }

        if (MultiserverAddress.TryParseLegacy(text, out var legacy))
        {
            Check(legacy);
        }

        if (MultiserverAddress.TryParseAny(text, out var any))
        {
            Require(any.IsDialable || !text.Contains("~shs", StringComparison.Ordinal), "what is given out can be dialled");
            Check(any);
        }
    }

    private static void Check(MultiserverAddress address)
    {
        Require(MultiserverAddress.TryParse(address.Format(), out var again) && again.Equals(address), "what was read can be written");
        var shown = address.WithoutSeed();
        Require(shown.Seed is null && shown.Key == address.Key && shown.Host == address.Host && shown.Port == address.Port, "without its seed it is the same address");
        Require(MultiserverAddress.TryParse(address.ToString(), out _), "what is shown can be read");
        _ = address.Scope;
        if (address.IsDialable)
        {
            if (address.Transport is MultiserverTransport.Ws or MultiserverTransport.Wss)
            {
                _ = address.ToWebSocketUri();
            }

            Require(SsbUri.TryReadAddresses(SsbUri.Of(address), out var list) && list is [var only] && only.Equals(shown), "its URI leads to it");
        }
    }
}

/// <summary>Ids in all their spellings.</summary>
internal sealed class IdentifierTarget : FuzzTarget
{
    public override string Name => "identifiers";

    public override IEnumerable<byte[]> Seeds =>
    [
        Samples.Utf8(Samples.Self.Id.ToString()),
        Samples.Utf8(Samples.Feed[0].Id.ToString()),
        Samples.Utf8(new BlobId(Samples.Filled(7)).ToString()),
        Samples.Utf8(SsbUri.Of(Samples.Self.Id)),
        Samples.Utf8(SsbUri.Of(Samples.Feed[0].Id)),
        Samples.Utf8(SsbUri.Of(new BlobId(Samples.Filled(7))) + "?unbox=x"),
    ];

    public override IReadOnlyList<byte[]> Words => Samples.Words("@", "%", "&", ".ed25519", ".sha256", "ssb:", "ssb://", "feed/", "message/", "blob/", "classic/", "ed25519:", "sha256", "=", "_", "-");

    public override int MaxInput => 256;

    public override void Run(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (FeedId.TryParse(text, out var feed))
        {
            Require(feed.ToString() == text, "a feed has one spelling");
        }

        Require(FeedId.TryParse(input, out var feedOfBytes) == FeedId.TryParse(text, out feed) && feed == feedOfBytes, "bytes and text read alike");
        if (MessageId.TryParse(text, out var message))
        {
            Require(message.ToString() == text, "a message has one spelling");
        }

        if (BlobId.TryParse(text, out var blob))
        {
            Require(blob.ToString() == text, "a blob has one spelling");
        }

        if (SsbUri.TryReadFeed(text, out feed))
        {
            Require(SsbUri.TryReadFeed(SsbUri.Of(feed), out var again) && again == feed, "the URI of a feed");
        }

        if (SsbUri.TryReadMessage(text, out message))
        {
            Require(SsbUri.TryReadMessage(SsbUri.Of(message), out var again) && again == message, "the URI of a message");
        }

        if (SsbUri.TryReadBlob(text, out blob))
        {
            Require(SsbUri.TryReadBlob(SsbUri.Of(blob), out var again) && again == blob, "the URI of a blob");
        }
    }
}

/// <summary>Discovery packets that anybody can write.</summary>
internal sealed class PlainPacketTarget : FuzzTarget
{
    public override string Name => "lan-plain";

    public override IEnumerable<byte[]> Seeds =>
    [
        PlainPacket.Write(MultiserverAddress.Of(MultiserverTransport.Net, "192.168.1.2", 8008, Samples.Other.Id)),
        PlainPacket.Write(MultiserverAddress.Of(MultiserverTransport.Net, "192.168.1.2", 8008, Samples.Self.Id)),
        Samples.Utf8($"192.168.1.2:8008:{Samples.Other.Id}"),
        Samples.Utf8($"net:fe80::1:8008~shs:{Convert.ToBase64String(Samples.Other.Id.AsSpan())};ws://192.168.1.2:80~shs:{Convert.ToBase64String(Samples.Other.Id.AsSpan())}"),
    ];

    public override IReadOnlyList<byte[]> Words => Samples.Words("net:", "~shs:", ";", "!:", "ws://", ":8008", ":@", Convert.ToBase64String(Samples.Other.Id.AsSpan()), Samples.Other.Id.ToString());

    public override int MaxInput => 2100;

    public override void Run(ReadOnlySpan<byte> input) => Check(PlainPacket.Read(input, Samples.Self.Id, out var announcement), announcement, isVerified: false);

    public static void Check(LanReading reading, LanAnnouncement? announcement, bool? isVerified)
    {
        Require((reading == LanReading.Announced) == (announcement is not null), "an announcement is there when there is one");
        if (announcement is null)
        {
            return;
        }

        Require(announcement.Feed != Samples.Self.Id && announcement.Addresses.Count is > 0 and <= LanAnnouncement.MaxAddresses, "somebody else, with a few addresses");
        Require(isVerified is null || announcement.IsVerified == isVerified, "verified or not");
        foreach (var address in announcement.Addresses)
        {
            Require(address.IsDialable && address.Key == announcement.Feed && address.Seed is null, "addresses lead to who announced");
        }
    }
}

/// <summary>Discovery packets of the network's members. The first byte chooses: raw; sealed rightly; sealed and signed.</summary>
internal sealed class EncryptedPacketTarget : FuzzTarget
{
    public override string Name => "lan-encrypted";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var address = MultiserverAddress.Of(MultiserverTransport.Net, "192.168.1.2", 8008, Samples.Other.Id);
            yield return [0, .. EncryptedPacket.Write(address, Samples.Network, Samples.Other)];
            for (byte way = 1; way < 3; way++)
            {
                yield return [way, .. Samples.Utf8($$"""{"address":"{{address}}"}""")];
            }
        }
    }

    public override IReadOnlyList<byte[]> Words => [.. Samples.Words("\"address\":", "\\u0040", "\\ud800", "\\\"", "{", "}", "net:", "~shs:", ";", Convert.ToBase64String(Samples.Other.Id.AsSpan()))];

    public override int MaxInput => 2100;

    public override void Run(ReadOnlySpan<byte> input)
    {
        var way = input.IsEmpty ? 0 : input[0] % 3;
        var text = input.IsEmpty ? input : input[1..];
        var packet = text.ToArray();
        if (way > 0)
        {
            packet = new byte[Sodium.MacBytes + text.Length + Sodium.SignatureBytes];
            var key = Samples.Network.Bytes.AsSpan();
            Sodium.SecretBox(text, key[..Sodium.NonceBytes], key, packet.AsSpan(0, Sodium.MacBytes), packet.AsSpan(Sodium.MacBytes, text.Length));
            if (way == 2)
            {
                Samples.Other.Sign(text, packet.AsSpan(packet.Length - Sodium.SignatureBytes));
            }
        }

        PlainPacketTarget.Check(EncryptedPacket.Read(packet, Samples.Network, Samples.Self.Id, out var announcement), announcement, isVerified: null);
        if (announcement is { Addresses: [var first, ..] } && announcement.Feed == Samples.Other.Id)
        {
            var written = EncryptedPacket.Write(first, Samples.Network, Samples.Other);
            Require(EncryptedPacket.Read(written, Samples.Network, Samples.Self.Id, out var again) == LanReading.Announced && again!.IsVerified && again.Addresses is [var only] && only.Equals(first),
                "what was read can be announced");
        }
    }
}

/// <summary>What routers say, or whoever pretends to be one.</summary>
internal sealed class GatewayTarget : FuzzTarget
{
    private static readonly byte[] Nonce = new byte[PcpMessage.NonceBytes];

    public override string Name => "gateway";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var map = new byte[PcpMessage.MapBytes];
            PcpMessage.WriteMap(map, System.Net.IPAddress.Loopback, Nonce, 8008, 8008, null, 3600);
            map[1] |= 0x80;
            yield return map;
            yield return [0, 128, 0, 0, 0, 0, 0, 1, 192, 0, 2, 1];
            yield return [2, 0x80, 0, 0, .. new byte[20]];
            yield return Samples.Utf8("HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLOCATION: http://192.168.1.1:5000/root.xml\r\n\r\n");
        }
    }

    public override IReadOnlyList<byte[]> Words => Samples.Words("HTTP/1.1", "LOCATION:", "ST:", "urn:schemas-upnp-org:device:InternetGatewayDevice:", "http://", "[fe80::1%25eth0]", "\r\n");

    public override void Run(ReadOnlySpan<byte> input)
    {
        _ = PcpMessage.TryReadMap(input, Nonce, 8008, out _);
        _ = PcpMessage.IsNatPmpRefusal(input);
        _ = PcpMessage.TryReadAnnouncement(input, out _);
        if (SsdpMessage.ReadLocation(input) is { } location)
        {
            Require(location.Scheme == Uri.UriSchemeHttp && System.Net.IPAddress.TryParse(location.DnsSafeHost, out _), "a description lies at an address");
        }
    }
}
