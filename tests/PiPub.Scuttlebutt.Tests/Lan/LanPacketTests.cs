using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Lan;

namespace PiPub.Scuttlebutt.Tests.Lan;

public class LanPacketTests
{
    private static readonly JsonElement Vectors = JsonElement.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "vectors.json")));
    private static readonly JsonElement Vector = Vectors.GetProperty("lan");
    private static readonly NetworkKey VectorNetwork = new(new Bytes32(Convert.FromHexString(Vectors.GetProperty("shs").GetProperty("cap").GetString()!)));
    private static readonly KeyPair Sender = KeyPair.FromSeed(Convert.FromHexString(Vectors.GetProperty("keys").GetProperty("seed_hex").GetString()!));
    private static readonly NetworkKey Network = new(new Bytes32(Enumerable.Range(7, 32).Select(i => (byte)i).ToArray()));
    private static readonly FeedId Self = KeyPair.FromSeed(Enumerable.Repeat((byte)9, 32).ToArray()).Id;
    private static readonly string Key = Convert.ToBase64String(Sender.Id.AsSpan());
    private static readonly string Text = $"net:192.168.1.10:8008~shs:{Key}";

    [Fact]
    public void The_vectors_are_read_and_written_byte_for_byte()
    {
        var address = Parse(Vector.GetProperty("address").GetString()!);
        var plain = Encoding.UTF8.GetBytes(Vector.GetProperty("legacy_packet_utf8").GetString()!);
        var encrypted = Convert.FromHexString(Vector.GetProperty("packet_hex").GetString()!);
        Assert.Equal(EncryptedPacket.Port, Vector.GetProperty("port_encrypted").GetInt32());

        Assert.Equal(plain, PlainPacket.Write(address));
        Assert.Equal(Convert.ToHexString(encrypted), Convert.ToHexString(EncryptedPacket.Write(address, VectorNetwork, Sender)));

        Assert.Equal(LanReading.Announced, PlainPacket.Read(plain, Self, out var announcement));
        AssertSays(announcement, isVerified: false, address.ToString());
        Assert.Equal(LanReading.Announced, EncryptedPacket.Read(encrypted, VectorNetwork, Self, out announcement));
        AssertSays(announcement, isVerified: true, address.ToString());
    }

    [Fact]
    public void Our_own_packets_are_known_as_such()
    {
        Assert.Equal(LanReading.Own, PlainPacket.Read(PlainPacket.Write(Parse(Text)), Sender.Id, out var announcement));
        Assert.Null(announcement);
        Assert.Equal(LanReading.Own, EncryptedPacket.Read(EncryptedPacket.Write(Parse(Text), Network, Sender), Network, Sender.Id, out announcement));
        Assert.Null(announcement);
    }

    [Fact]
    public void Packets_of_another_network_are_told_apart()
    {
        var packet = EncryptedPacket.Write(Parse(Text), VectorNetwork, Sender);
        Assert.Equal(LanReading.OtherNetwork, EncryptedPacket.Read(packet, Network, Self, out var announcement));
        Assert.Null(announcement);
    }

    [Fact]
    public void An_announcement_signed_by_somebody_else_is_shown_but_not_believed()
    {
        var forged = EncryptedPacket.Write(Parse(Text), Network, KeyPair.Generate());
        Assert.Equal(LanReading.Announced, EncryptedPacket.Read(forged, Network, Self, out var announcement));
        AssertSays(announcement, isVerified: false, Text);
    }

    [Fact]
    public void A_list_gives_what_can_be_dialled_and_leads_to_the_one_who_announces()
    {
        var other = Convert.ToBase64String(KeyPair.Generate().Id.AsSpan());
        var list = $"{Text};bt:0A1B~shs:{Key};net:10.0.0.2:8008~shs:{other};ws://192.168.1.10:8989~shs:{Key};net:[fe80::1]:8008~shs:{Key}:{Key}";
        string[] kept = [Text, $"ws://192.168.1.10:8989~shs:{Key}", $"net:[fe80::1]:8008~shs:{Key}"];
        kept[1] = Parse(kept[1]).ToString();
        kept[2] = Parse(kept[2]).ToString();
        Assert.Equal(LanReading.Announced, PlainPacket.Read(Encoding.ASCII.GetBytes(list), Self, out var announcement));
        AssertSays(announcement, isVerified: false, kept);
        Assert.Equal(LanReading.Announced, EncryptedPacket.Read(Seal(JsonSerializer.SerializeToUtf8Bytes(new { address = list }, Relaxed), list), Network, Self, out announcement));
        AssertSays(announcement, isVerified: true, kept);

        Assert.Equal(LanReading.Announced, PlainPacket.Read(Encoding.ASCII.GetBytes(string.Join(';', Enumerable.Range(1, 20).Select(i => $"net:10.0.0.{i}:8008~shs:{Key}"))), Self, out announcement));
        Assert.Equal(LanAnnouncement.MaxAddresses, announcement!.Addresses.Count);
    }

    [Fact]
    public void The_form_before_multiserver_addresses_is_read_as_ssb_local_does()
    {
        Assert.Equal(LanReading.Announced, PlainPacket.Read(Encoding.ASCII.GetBytes($"192.168.1.10:8008:{Sender.Id}"), Self, out var announcement));
        AssertSays(announcement, isVerified: false, Text);
    }

    [Theory]
    [InlineData("{\"other\":[1,{}],\"address\":\"$\"}", true)]
    [InlineData("{\"address\":\"net:1.2.3.4:5~shs:x\",\"address\":\"$\"}", true)]
    [InlineData(" { \"address\" : \"$\" } ", true)]
    [InlineData("{\"address\":\"$\",\"address\":7}", false)]
    [InlineData("{\"address\":[\"$\"]}", false)]
    [InlineData("{\"a\":{\"address\":\"$\"}}", false)]
    [InlineData("[{\"address\":\"$\"}]", false)]
    [InlineData("\"$\"", false)]
    [InlineData("null", false)]
    [InlineData("{\"address\":\"$\"", false)]
    [InlineData("{\"address\":\"$\"}x", false)]
    [InlineData("{\"address\":\"\\ud800\"}", false)]
    public void The_object_is_read_as_JavaScript_does(string json, bool isRead)
    {
        var reading = EncryptedPacket.Read(Seal(Encoding.UTF8.GetBytes(json.Replace("$", Text, StringComparison.Ordinal)), Text), Network, Self, out var announcement);
        Assert.Equal(isRead ? LanReading.Announced : LanReading.Malformed, reading);
        Assert.Equal(isRead, announcement?.IsVerified ?? false);
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("net:192.168.1.10:8008")]
    [InlineData("net:192.168.1.10:8008~shs:$\n")]
    [InlineData(" net:192.168.1.10:8008~shs:$")]
    [InlineData("net:192.168.1.10:8008~shs:$;")]
    [InlineData("net:192.168.1.10:0~shs:$")]
    [InlineData("net:192.168.1.10:8008~shs:AAAA")]
    [InlineData("net:192.168.1.10:8008~shs:AAAA;net:192.168.1.10~shs:$")]
    [InlineData("net:192.168.1.10:8008~shs:$\u00e9")]
    [InlineData("192.168.1.10:8008:$")]
    public void What_is_no_address_is_refused(string text)
    {
        text = text.Replace("$", Key, StringComparison.Ordinal);
        Assert.Equal(LanReading.Malformed, PlainPacket.Read(Encoding.UTF8.GetBytes(text), Self, out var announcement));
        Assert.Null(announcement);
        Assert.Equal(LanReading.Malformed, EncryptedPacket.Read(Seal(JsonSerializer.SerializeToUtf8Bytes(new { address = text }, Relaxed), text), Network, Self, out announcement));
        Assert.Null(announcement);
    }

    [Fact]
    public void What_is_too_long_is_not_looked_at()
    {
        var long_ = Encoding.ASCII.GetBytes(string.Join(';', Enumerable.Repeat(Text, 40)));
        Assert.True(long_.Length > LanAnnouncement.MaxPacketLength);
        Assert.Equal(LanReading.Oversized, PlainPacket.Read(long_, Self, out _));
        Assert.Equal(LanReading.Oversized, EncryptedPacket.Read(Seal(long_, Text), Network, Self, out _));
        Assert.Equal(LanReading.Oversized, EncryptedPacket.Read(new byte[65_507], Network, Self, out _));
    }

    [Fact]
    public void Every_cut_and_every_flipped_bit_of_the_box_is_refused_and_of_the_signature_unverified()
    {
        var packet = EncryptedPacket.Write(Parse(Text), Network, Sender);
        for (var length = 0; length < packet.Length; length++)
        {
            Assert.NotEqual(LanReading.Announced, EncryptedPacket.Read(packet.AsSpan(0, length), Network, Self, out _));
        }

        for (var bit = 0; bit < packet.Length * 8; bit++)
        {
            packet[bit / 8] ^= (byte)(1 << (bit % 8));
            var reading = EncryptedPacket.Read(packet, Network, Self, out var announcement);
            if (bit / 8 < packet.Length - Sodium.SignatureBytes)
            {
                Assert.Equal(LanReading.OtherNetwork, reading);
            }
            else
            {
                AssertSays(announcement, isVerified: false, Text);
            }

            packet[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Every_address_comes_back_from_both_packets()
    {
        var hosts = Gen.Choose(0, 255).ArrayOf(4).Select(b => string.Join('.', b));
        var made =
            from transport in Gen.Elements(MultiserverTransport.Net, MultiserverTransport.Ws)
            from host in hosts
            from port in Gen.Choose(1, 65535)
            from seed in Gen.Choose(0, 255).ArrayOf(32)
            select (transport, host, port, Array.ConvertAll(seed, i => (byte)i));
        Prop.ForAll(made.ToArbitrary(), a =>
        {
            var key = KeyPair.FromSeed(a.Item4);
            var address = MultiserverAddress.Of(a.transport, a.host, a.port, key.Id);
            Assert.Equal(LanReading.Announced, PlainPacket.Read(PlainPacket.Write(address), Self, out var announcement));
            AssertSays(announcement, isVerified: false, key.Id, address.ToString());
            Assert.Equal(LanReading.Announced, EncryptedPacket.Read(EncryptedPacket.Write(address, Network, key), Network, Self, out announcement));
            AssertSays(announcement, isVerified: true, key.Id, address.ToString());
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void No_bytes_do_harm()
    {
        var bytes = Gen.Choose(0, 255).Select(i => (byte)i).ArrayOf();
        var texts = Gen.Elements("net:", ":", ";", "~", "shs:", Key, "!", "8008", "[", "]", "%", "\\", "\"", "ws://", "10.0.0.1").ListOf().Select(parts => Encoding.ASCII.GetBytes(string.Concat(parts)));
        Prop.ForAll(Gen.OneOf(bytes, texts).ToArbitrary(), b =>
        {
            AssertWhole(PlainPacket.Read(b, Self, out var announcement), announcement);
            AssertWhole(EncryptedPacket.Read(b, Network, Self, out announcement), announcement);
            Assert.Null(announcement);
            AssertWhole(EncryptedPacket.Read(Seal(b, Text), Network, Self, out announcement), announcement);
            AssertWhole(EncryptedPacket.Read(Seal([.. "{\"address\":\""u8, .. b, .. "\"}"u8], Text), Network, Self, out announcement), announcement);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    private static JsonSerializerOptions Relaxed { get; } = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static MultiserverAddress Parse(string text)
    {
        Assert.True(MultiserverAddress.TryParse(text, out var address));
        return address;
    }

    /// <summary>A packet with whatever inside the box, and a good signature over an address.</summary>
    private static byte[] Seal(byte[] boxed, string signed)
    {
        var packet = new byte[Sodium.MacBytes + boxed.Length + Sodium.SignatureBytes];
        var key = Network.Bytes.ToArray();
        Sodium.SecretBox(boxed, key.AsSpan(0, Sodium.NonceBytes), key, packet.AsSpan(0, Sodium.MacBytes), packet.AsSpan(Sodium.MacBytes, boxed.Length));
        Sender.Sign(Encoding.UTF8.GetBytes($"{{\n  \"address\": {JsonSerializer.Serialize(signed, Relaxed)}\n}}"), packet.AsSpan(packet.Length - Sodium.SignatureBytes));
        return packet;
    }

    private static void AssertWhole(LanReading reading, LanAnnouncement? announcement)
    {
        Assert.Equal(reading == LanReading.Announced, announcement is not null);
        foreach (var address in announcement?.Addresses ?? [])
        {
            Assert.True(address.IsDialable);
            Assert.Equal(announcement!.Feed, address.Key);
        }
    }

    private static void AssertSays(LanAnnouncement? announcement, bool isVerified, params string[] addresses) => AssertSays(announcement, isVerified, Sender.Id, addresses);

    private static void AssertSays(LanAnnouncement? announcement, bool isVerified, FeedId feed, params string[] addresses)
    {
        Assert.NotNull(announcement);
        Assert.Equal(feed, announcement.Feed);
        Assert.Equal(isVerified, announcement.IsVerified);
        Assert.Equal(addresses, announcement.Addresses.Select(address => address.ToString()));
    }
}
