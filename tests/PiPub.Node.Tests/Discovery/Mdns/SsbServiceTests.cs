using System.Text;
using PiPub.Node.Discovery.Mdns;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Tests.Discovery.Mdns;

public sealed class SsbServiceTests
{
    private const string Key = "opYp5rhnAl1LStpOWBC4vEoIqxkbWDgnBfQh1hQ0JQA=";
    private static readonly FeedId Id = FeedId.Parse($"@{Key}.ed25519");

    [Fact]
    public void The_record_holds_the_id_and_the_addresses()
    {
        Assert.Equal(
            [$"id=@{Key}.ed25519", $"address=net:pipub.local:8008~shs:{Key};ws://pipub.local:8080~shs:{Key}"],
            Write("pipub.local"));
    }

    [Fact]
    public void An_address_that_does_not_fit_into_255_bytes_is_left_out()
    {
        var host = $"{new string('a', 63)}.local";

        var address = Write(host)[1];

        Assert.Equal($"address=net:{host}:8008~shs:{Key}", address);
        Assert.InRange(address.Length, 1, SsbService.MaxTxtBytes);
    }

    [Fact]
    public void Without_an_address_the_id_is_told_alone() =>
        Assert.Equal([$"id=@{Key}.ed25519"], Texts(SsbService.WriteTxt(Id, [])));

    [Fact]
    public void The_seed_of_an_invite_is_never_told()
    {
        var invite = MultiserverAddress.Of(MultiserverTransport.Net, "pipub.local", 8008, Id, Id.Bytes);

        Assert.Equal($"address=net:pipub.local:8008~shs:{Key}", Texts(SsbService.WriteTxt(Id, [invite]))[1]);
    }

    [Theory]
    [InlineData("id")]
    [InlineData("ID")]
    public void The_id_is_read_wherever_it_stands(string key)
    {
        Assert.True(SsbService.TryReadId(Txt("txtvers=1", "flag", "", $"{key}=@{Key}.ed25519", "address=net:elsewhere:1~shs:x"), out var id));
        Assert.Equal(Id, id);
    }

    [Theory]
    [InlineData()]
    [InlineData("id")]
    [InlineData("id=")]
    [InlineData("id=" + Key)]
    [InlineData("id=@" + Key)]
    [InlineData("id=@" + Key + ".ed25519 ")]
    [InlineData("id=@opYp5rhnAl1LStpOWBC4vEoIqxkbWDgnBfQh1hQ0JQB=.ed25519")]
    [InlineData("id=nobody", "id=@" + Key + ".ed25519")]
    [InlineData("xid=@" + Key + ".ed25519")]
    public void What_is_no_id_is_none(params string[] txt) => Assert.False(SsbService.TryReadId(Txt(txt), out _));

    private static string[] Write(string host) => Texts(SsbService.WriteTxt(
        Id, [MultiserverAddress.Of(MultiserverTransport.Net, host, 8008, Id), MultiserverAddress.Of(MultiserverTransport.Ws, host, 8080, Id)]));

    private static byte[][] Txt(params string[] txt) => [.. txt.Select(Encoding.ASCII.GetBytes)];

    private static string[] Texts(IEnumerable<byte[]> txt) => [.. txt.Select(Encoding.ASCII.GetString)];
}
