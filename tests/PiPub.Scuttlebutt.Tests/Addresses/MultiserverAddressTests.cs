using System.Net;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Tests.Addresses;

public class MultiserverAddressTests
{
    private const string Key = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=";
    private static readonly FeedId Id = FeedId.Parse($"@{Key}.ed25519");

    [Theory]
    [InlineData("net:192.168.1.10:8008~shs:" + Key, MultiserverTransport.Net, "192.168.1.10", 8008)]
    [InlineData("net:pub.example.org:8008~shs:" + Key, MultiserverTransport.Net, "pub.example.org", 8008)]
    [InlineData("net:::1:8008~shs:" + Key, MultiserverTransport.Net, "::1", 8008)]
    [InlineData("net:2001:db8::7:8008~shs:" + Key, MultiserverTransport.Net, "2001:db8::7", 8008)]
    [InlineData("net:2001!:db8!:!:7:8008~shs:" + Key, MultiserverTransport.Net, "2001:db8::7", 8008)]
    [InlineData("net:[fe80::1]:8008~shs:" + Key, MultiserverTransport.Net, "fe80::1", 8008)]
    [InlineData("net:fe80::1%wlan0:8008~shs:" + Key, MultiserverTransport.Net, "fe80::1%wlan0", 8008)]
    [InlineData("ws://pub.example.org:8989~shs:" + Key, MultiserverTransport.Ws, "pub.example.org", 8989)]
    [InlineData("ws://pub.example.org~shs:" + Key, MultiserverTransport.Ws, "pub.example.org", 80)]
    [InlineData("wss://pub.example.org~shs:" + Key, MultiserverTransport.Wss, "pub.example.org", 443)]
    [InlineData("wss://[2001:db8::7]:8989/ssb~shs:" + Key, MultiserverTransport.Wss, "2001:db8::7", 8989)]
    [InlineData("wss://[2001:db8::7]~shs:" + Key, MultiserverTransport.Wss, "2001:db8::7", 443)]
    [InlineData("onion:abc234.onion:8008~shs:" + Key, MultiserverTransport.Onion, "abc234.onion", 8008)]
    public void Addresses_in_use_are_understood_and_written_as_they_were(string text, MultiserverTransport transport, string host, int port)
    {
        Assert.True(MultiserverAddress.TryParse(text, out var address));
        Assert.Equal(transport, address.Transport);
        Assert.Equal(host, address.Host);
        Assert.Equal(port, address.Port);
        Assert.Equal(Id, address.Key);
        Assert.Null(address.Seed);
        Assert.True(address.IsDialable);
        Assert.Equal(text, address.Format());
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData("unix:/home/pi/.pipub/socket:~noauth")]
    [InlineData("tunnel:@room.ed25519:@peer.ed25519~shs:" + Key)]
    [InlineData("bt:AA.BB.CC~shs:" + Key)]
    [InlineData("dht:seed:key~shs:" + Key)]
    [InlineData("shs:::")]
    [InlineData("net:host.example:8008")]
    [InlineData("net:host.example:8008~shs:" + Key + "~gzip")]
    [InlineData("net:host.example:8008~shs2:" + Key)]
    [InlineData("net:host.example:8008~shs:tooshort")]
    [InlineData("net:host.example:0~shs:" + Key)]
    [InlineData("net:host.example:65536~shs:" + Key)]
    [InlineData("net:host.example:+1~shs:" + Key)]
    [InlineData("net:-bad-.example:8008~shs:" + Key)]
    [InlineData("ws://user@host.example:80~shs:" + Key)]
    [InlineData("new-thing:x:y!:z~also:1")]
    public void What_is_not_understood_is_kept_but_not_dialled(string text)
    {
        Assert.True(MultiserverAddress.TryParse(text, out var address));
        Assert.False(address.IsDialable);
        Assert.Equal(text, address.Format());
    }

    [Theory]
    [InlineData("")]
    [InlineData(":host.com:8008")]
    [InlineData("1a:host.com:8008")]
    [InlineData("ABC:host.com:8008")]
    [InlineData("a:host.com:8008")]
    [InlineData("a.b:host.com:8008")]
    [InlineData("~:host.com:8008")]
    [InlineData(";:host.com:8008")]
    [InlineData("!:host.com:8008")]
    [InlineData("net:host.com:8008~")]
    [InlineData("net:host.com:8008~~gzip")]
    [InlineData("net:host.com:8008;")]
    [InlineData("net:host com:8008")]
    [InlineData("net:h\u00f6st.com:8008")]
    [InlineData("net:host.com!")]
    [InlineData("net:host.com!a")]
    public void What_is_no_address_is_refused(string text)
    {
        Assert.False(MultiserverAddress.TryParse(text, out _));
        Assert.False(MultiserverAddress.TryParseList(text, out var addresses));
        Assert.Empty(addresses);
    }

    [Fact]
    public void A_list_keeps_every_alternative()
    {
        Assert.True(MultiserverAddress.TryParseList($"net:10.0.0.1:8008~shs:{Key};bt:x~shs:{Key};ws://10.0.0.1:8989~shs:{Key}", out var addresses));
        Assert.Equal(
            [MultiserverTransport.Net, MultiserverTransport.Other, MultiserverTransport.Ws],
            addresses.Select(a => a.Transport));
        Assert.True(MultiserverAddress.TryParseAny($"bt:x~shs:{Key};ws://10.0.0.1:8989~shs:{Key}", out var dialable));
        Assert.Equal(MultiserverTransport.Ws, dialable.Transport);
        Assert.Equal(new Uri("ws://10.0.0.1:8989"), dialable.ToWebSocketUri());
    }

    [Fact]
    public void The_seed_of_an_invite_is_read_and_never_shown_by_accident()
    {
        var seed = KeyPair.Generate().Id.Bytes;
        var made = MultiserverAddress.Of(MultiserverTransport.Net, "pub.example.org", 8008, Id, seed);
        Assert.True(MultiserverAddress.TryParse(made.Format(), out var read));

        Assert.Equal(seed, read.Seed);
        Assert.Equal($"net:pub.example.org:8008~shs:{Key}", read.ToString());
        Assert.Equal(made, read);
        Assert.NotEqual(made, made.WithoutSeed());
        Assert.Null(made.WithoutSeed().Seed);
    }

    [Theory]
    [InlineData("pub.example.org:8008:@" + Key + ".ed25519", "net:pub.example.org:8008~shs:" + Key)]
    [InlineData("pub.example.org::@" + Key + ".ed25519", "net:pub.example.org:8008~shs:" + Key)]
    [InlineData("2001:db8::7:8008:@" + Key + ".ed25519", "net:2001:db8::7:8008~shs:" + Key)]
    [InlineData("abc234.onion:8008:@" + Key + ".ed25519", "onion:abc234.onion:8008~shs:" + Key)]
    [InlineData("ws://pub.example.org:8989:@" + Key + ".ed25519", "ws://pub.example.org:8989~shs:" + Key)]
    [InlineData("wss://pub.example.org:8989:@" + Key + ".ed25519", "wss://pub.example.org:8989~shs:" + Key)]
    public void Legacy_addresses_are_read(string legacy, string multiserver)
    {
        Assert.True(MultiserverAddress.TryParseAny(legacy, out var address));
        Assert.True(address.IsDialable);
        Assert.Equal(multiserver, address.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("pub.example.org")]
    [InlineData("pub.example.org:8008")]
    [InlineData("pub.example.org:8008:" + Key)]
    [InlineData("pub.example.org:70000:@" + Key + ".ed25519")]
    [InlineData("pub example:8008:@" + Key + ".ed25519")]
    [InlineData(":8008:@" + Key + ".ed25519")]
    [InlineData("@" + Key + ".ed25519")]
    public void What_cannot_be_dialled_is_refused(string? text) => Assert.False(MultiserverAddress.TryParseAny(text, out _));

    [Fact]
    public void Every_address_made_here_is_read_back()
    {
        var hosts = Gen.OneOf(
            Gen.Elements("pub.example.org", "localhost", "pi_3.local", "x1"),
            Gen.Choose(0, 255).ArrayOf(4).Select(b => string.Join('.', b)),
            Gen.Choose(0, 255).ArrayOf(16).Select(b => new IPAddress(Array.ConvertAll(b, i => (byte)i)).ToString()));
        var made =
            from transport in Gen.Elements(MultiserverTransport.Net, MultiserverTransport.Onion, MultiserverTransport.Ws, MultiserverTransport.Wss)
            from host in hosts
            from port in Gen.Choose(1, 65535)
            from seeded in Gen.Elements(true, false)
            select MultiserverAddress.Of(transport, host, port, Id, seeded ? Id.Bytes : null);
        Prop.ForAll(made.ToArbitrary(), a =>
            MultiserverAddress.TryParse(a.Format(), out var read)
            && read.Equals(a) && read.IsDialable
            && (read.Transport, read.Host, read.Port, read.Key, read.Seed) == (a.Transport, a.Host, a.Port, a.Key, a.Seed))
            .QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_text_has_one_reading_and_a_reading_one_text()
    {
        const string characters = "\"#$%&'()*+,-./0123456789:;<=>?@ABCXYZ[\\]^_`abcxyz{|}~!";
        var data = Gen.Elements(characters.ToCharArray()).ArrayOf().Select(c => new string(c));
        var names =
            from first in Gen.Elements("abz".ToCharArray())
            from rest in Gen.Elements("az09-".ToCharArray()).NonEmptyListOf()
            select first + new string([.. rest]);
        var layers =
            from name in names
            from values in data.ListOf()
            select new MultiserverProtocol(name, [.. values]);
        var addresses = layers.NonEmptyListOf().NonEmptyListOf();
        Prop.ForAll(addresses.ToArbitrary(), list =>
        {
            var text = string.Join(';', list.Select(layersOfOne => MultiserverText.Format([.. layersOfOne])));
            if (text.Length > MultiserverText.MaxLength)
            {
                return !MultiserverAddress.TryParseList(text, out _);
            }

            return MultiserverAddress.TryParseList(text, out var read)
                && read.Count == list.Count
                && string.Join(';', read.Select(a => a.Format())) == text
                && read.Zip(list).All(pair => pair.First.Protocols.Zip(pair.Second).All(l => l.First.Name == l.Second.Name && l.First.Data.SequenceEqual(l.Second.Data)));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Whatever_is_read_is_written_back_unchanged()
    {
        var texts = Gen.Elements("net:ws//~shs;!!:;8.[]@%= A\u00e9".ToCharArray()).ArrayOf().Select(c => "net:" + new string(c));
        Prop.ForAll(texts.ToArbitrary(), text =>
            !MultiserverAddress.TryParseList(text, out var read) || string.Join(';', read.Select(a => a.Format())) == text)
            .QuickCheckThrowOnFailure();
    }
}
