using System.Net;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Invites;

namespace PiPub.Scuttlebutt.Tests.Invites;

public class InviteCodeTests
{
    private const string Key = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=";
    private const string Id = "@" + Key + ".ed25519";
    private const string Seed = "7P2k7dbzuxFVXl7jqVx/XmrRFLMSQsZhAYJ5sXzR7Vg=";

    // What ssb-ref 2.16.0 parseInvite makes of them: the remote address without its key.
    [Theory]
    [InlineData("pub.example:8008:K~S", "net:pub.example:8008")]
    [InlineData("localhost:8008:K~S", "net:localhost:8008")]
    [InlineData("192.168.1.2:8008:K~S", "net:192.168.1.2:8008")]
    [InlineData("::1:8008:K~S", "net:::1:8008")]
    [InlineData("fe80::1:8008:K~S", "net:fe80::1:8008")]
    [InlineData("2001:db8::1:8008:K~S#note", "net:2001:db8::1:8008")]
    [InlineData("pub.example::K~S", "net:pub.example:8008")]
    [InlineData("abcdef.onion:8008:K~S", "onion:abcdef.onion:8008")]
    [InlineData("ws://pub.example:80:K~S", "ws://pub.example:80")]
    [InlineData("net:pub.example:8008~shs:B:S", "net:pub.example:8008")]
    [InlineData("net:::1:8008~shs:B:S", "net:::1:8008")]
    [InlineData("net:2001!:db8!:!:1:8008~shs:B:S", "net:2001:db8::1:8008")]
    [InlineData("net:1.2.3.4:8008~shs:B:S#x#y", "net:1.2.3.4:8008")]
    [InlineData("wss://pub.example:443~shs:B:S", "wss://pub.example:443")]
    [InlineData("ws://192.168.1.2:8989~shs:B:S", "ws://192.168.1.2:8989")]
    [InlineData("onion:abc.onion:8008~shs:B:S", "onion:abc.onion:8008")]
    [InlineData("net:pub.example:8008~shs:B:S;ws://pub.example:80~shs:B:S", "net:pub.example:8008")]
    public void Codes_that_ssb_ref_knows_are_read_alike(string text, string remote) => AssertReads(text, remote);

    [Theory]
    [InlineData("\"pub.example:8008:K~S\"", "net:pub.example:8008")]
    [InlineData("  pub.example:8008:K~\n  S \r\n", "net:pub.example:8008")]
    [InlineData("'[::1]:8008:K~S'", "net:::1:8008")]
    [InlineData("net:[::1]:8008~shs:B:S", "net:::1:8008")]
    [InlineData("pipub:8008:K~S", "net:pipub:8008")]
    [InlineData("wss://pub.example~shs:B:S", "wss://pub.example:443")]
    [InlineData("tunnel:x:y~shs:B:S;net:pub.example:8008~shs:B:S", "net:pub.example:8008")]
    public void Codes_as_people_paste_them_are_read_too(string text, string remote) => AssertReads(text, remote);

    [Theory]
    [InlineData("", "empty")]
    [InlineData("hello", "not an invite code")]
    [InlineData("https://room.example/join?token=x", "web page")]
    [InlineData("pub.example:8008:K", "the part behind ~ is missing")]
    [InlineData("net:pub.example:8008~shs:B", "seed at its end is missing")]
    [InlineData("net:pub.example:8008~shs:B:bad", "damaged or cut off")]
    [InlineData("pub.example:8008:K~S~x", "not an invite code")]
    [InlineData("pub.example:8008:@x.ed25519~S", "id in this invite code is damaged")]
    [InlineData("pub.example:0:K~S", "port")]
    [InlineData("pub.example:-1:K~S", "port")]
    [InlineData("pub.example:65536:K~S", "port")]
    [InlineData("pub..example:8008:K~S", "host")]
    [InlineData("1:::2:::3:8008:K~S", "host")]
    [InlineData("ws://pub.example:80/path~shs:B:S", "port")]
    [InlineData("tunnel:x:y~shs:B:S", "not known here: tunnel")]
    public void What_is_no_code_is_refused_in_words(string text, string why)
    {
        Assert.False(InviteCode.TryParse(Fill(text), out var code, out var problem));
        Assert.Null(code);
        Assert.Contains(why, problem, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => InviteCode.Parse(Fill(text)));
    }

    [Fact]
    public void A_code_can_be_printed_without_its_seed()
    {
        var code = InviteCode.Parse(Fill("pub.example:8008:K~S"));
        Assert.DoesNotContain(Seed, code.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Seed, $"{code with { Port = 1 }}", StringComparison.Ordinal);
        Assert.Equal($"pub.example:8008:{Id}~{Seed}", code.ToLegacyText());
        Assert.Equal($"net:pub.example:8008~shs:{Key}:{Seed}", code.ToMultiserverText());
    }

    [Fact]
    public void Both_forms_of_every_code_come_back_the_same()
    {
        var hosts = Gen.OneOf(
            Gen.Elements("pub.example", "a-b.example.org", "localhost", "pipub.local", "xn--bcher-kva.example", "x.onion"),
            Gen.ArrayOf(Gen.Choose(0, 255), 4).Select(b => new IPAddress([.. b.Select(x => (byte)x)]).ToString()),
            Gen.ArrayOf(Gen.Choose(0, 255), 16).Select(b => new IPAddress([.. b.Select(x => (byte)x)]).ToString()));
        var codes = from host in hosts
                    from port in Gen.Choose(1, 65535)
                    from transport in Gen.Elements(InviteTransport.Net, InviteTransport.Ws, InviteTransport.Wss)
                    from key in Gen.ArrayOf(Gen.Choose(0, 255), 32)
                    from seed in Gen.ArrayOf(Gen.Choose(0, 255), 32)
                    select new InviteCode(
                        host.EndsWith(".onion", StringComparison.Ordinal) && transport == InviteTransport.Net ? InviteTransport.Onion : transport,
                        host,
                        port,
                        new FeedId([.. key.Select(b => (byte)b)]),
                        new Bytes32([.. seed.Select(b => (byte)b)]));
        Prop.ForAll(codes.ToArbitrary(), code =>
            InviteCode.Parse(code.ToLegacyText()) == code && InviteCode.Parse(code.ToMultiserverText()) == code
            && InviteCode.Parse($" \"{code.ToLegacyText()}#who cares\"") == code).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void No_text_at_all_makes_the_parser_throw()
    {
        var pieces = Gen.Elements("net:", "wss://", "~", "shs:", ":", "!", ";", "[", "]", "#", "@", Id, Key, Seed, "8008", "host.example", "\"", " ", "é", "\0");
        Prop.ForAll(Gen.ArrayOf(pieces).ToArbitrary(), parts =>
            InviteCode.TryParse(string.Concat(parts), out var code, out var problem) ? code is not null : problem.Length > 0)
            .QuickCheckThrowOnFailure();
        Assert.False(InviteCode.TryParse(null, out _, out _));
        Assert.False(InviteCode.TryParse(new string('a', 1_000_000), out _, out _));
    }

    [Theory]
    [InlineData("pub.example", true, InviteHost.Reach.Public)]
    [InlineData("pipub.local", true, InviteHost.Reach.LocalNetwork)]
    [InlineData("pipub", false, InviteHost.Reach.LocalNetwork)]
    [InlineData("localhost", true, InviteHost.Reach.ThisMachine)]
    [InlineData("192.168.1.2", true, InviteHost.Reach.LocalNetwork)]
    [InlineData("100.64.0.1", true, InviteHost.Reach.LocalNetwork)]
    [InlineData("172.32.0.1", true, InviteHost.Reach.Public)]
    [InlineData("8.8.8.8", true, InviteHost.Reach.Public)]
    [InlineData("::1", true, InviteHost.Reach.ThisMachine)]
    [InlineData("fd00::1", true, InviteHost.Reach.LocalNetwork)]
    [InlineData("2001:db8::1", true, InviteHost.Reach.Public)]
    [InlineData("[::1]", false, InviteHost.Reach.LocalNetwork)]
    [InlineData("1.2.3", false, InviteHost.Reach.Public)]
    [InlineData("-x.example", false, InviteHost.Reach.Public)]
    public void Hosts_are_judged_as_the_clients_judge_them(string host, bool understood, InviteHost.Reach reach)
    {
        Assert.Equal(understood, InviteHost.IsUnderstoodByClients(host));
        Assert.Equal(reach, InviteHost.ReachOf(host));
    }

    private static void AssertReads(string text, string remote)
    {
        Assert.True(InviteCode.TryParse(Fill(text), out var code, out var problem), problem);
        Assert.Equal($"{remote}~shs:{Key}", code!.Address);
        Assert.Equal(Seed, Convert.ToBase64String(code.Seed.AsSpan()));
        Assert.Equal(Id, code.Pub.ToString());
    }

    private static string Fill(string text) =>
        string.Concat(text.Select(c => c switch { 'K' => Id, 'B' => Key, 'S' => Seed, _ => c.ToString() }));
}
