using System.Net;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Node.Reachability.Mapping;

namespace PiPub.Node.Tests.Reachability.Mapping;

/// <summary>The bytes, laid out by hand from the figures of RFC 6887 (7, 8, 9, 10, 14) and RFC 6886 (section 3.2).</summary>
public sealed class PcpMessageTests
{
    private const string Nonce = "0102030405060708090a0b0c";

    [Fact]
    public void A_request_for_IPv4_is_laid_out_as_the_RFC_says()
    {
        var message = new byte[PcpMessage.MapBytes];
        PcpMessage.WriteMap(message, IPAddress.Parse("192.168.1.10"), Convert.FromHexString(Nonce), 8008, 8009, null, 3600);
        Assert.Equal(
            "02010000" + "00000e10" + "00000000000000000000ffffc0a8010a"
            + Nonce + "06000000" + "1f481f49" + "00000000000000000000ffff00000000",
            Convert.ToHexStringLower(message));
    }

    [Fact]
    public void A_request_for_IPv6_is_laid_out_as_the_RFC_says()
    {
        var message = new byte[PcpMessage.MapBytes];
        message.AsSpan().Fill(0xaa);
        PcpMessage.WriteMap(message, IPAddress.Parse("2001:db8::10"), Convert.FromHexString(Nonce), 8008, 0, IPAddress.Parse("2001:db8::10"), 0);
        Assert.Equal(
            "02010000" + "00000000" + "20010db8000000000000000000000010"
            + Nonce + "06000000" + "1f480000" + "20010db8000000000000000000000010",
            Convert.ToHexStringLower(message));
    }

    [Fact]
    public void A_grant_is_read()
    {
        Assert.True(PcpMessage.TryReadMap(Response(), Convert.FromHexString(Nonce), 8008, out var response));
        Assert.Equal(new PcpMapResponse(PcpResult.Success, 1800, 77, 4321, IPAddress.Parse("203.0.113.5")), response);
    }

    [Fact]
    public void A_grant_with_options_is_read()
    {
        Assert.True(PcpMessage.TryReadMap([.. Response(), 2, 0, 0, 0], Convert.FromHexString(Nonce), 8008, out var response));
        Assert.Equal(4321, response.ExternalPort);
    }

    [Fact]
    public void A_refusal_is_read()
    {
        Assert.True(PcpMessage.TryReadMap(Response(result: "08"), Convert.FromHexString(Nonce), 8008, out var response));
        Assert.Equal(PcpResult.NoResources, response.Result);
    }

    [Fact]
    public void A_refusal_of_the_version_is_read_however_short()
    {
        var message = Convert.FromHexString("03810001" + "00000000" + "0000004d" + "000000000000000000000000");
        Assert.True(PcpMessage.TryReadMap(message, Convert.FromHexString(Nonce), 8008, out var response));
        Assert.Equal(PcpResult.UnsupportedVersion, response.Result);
    }

    [Theory]
    [InlineData("nonce")]
    [InlineData("port")]
    [InlineData("protocol")]
    [InlineData("request")]
    [InlineData("opcode")]
    [InlineData("short")]
    [InlineData("odd")]
    [InlineData("long")]
    public void What_is_no_answer_to_the_request_is_not_read(string fault)
    {
        var message = Response();
        switch (fault)
        {
            case "nonce": message[24]++; break;
            case "port": message[41]++; break;
            case "protocol": message[36] = 17; break;
            case "request": message[1] = 0x01; break;
            case "opcode": message[1] = 0x82; break;
            case "short": message = message[..56]; break;
            case "odd": message = [.. message, 0]; break;
            case "long": message = [.. message, .. new byte[1044]]; break;
        }

        Assert.False(PcpMessage.TryReadMap(message, Convert.FromHexString(Nonce), 8008, out _));
    }

    [Fact]
    public void A_router_with_NAT_PMP_only_is_recognised()
    {
        Assert.True(PcpMessage.IsNatPmpRefusal(Convert.FromHexString("0081000100000009")));
        Assert.True(PcpMessage.IsNatPmpRefusal(Convert.FromHexString("0080000100000009")));
        Assert.False(PcpMessage.IsNatPmpRefusal(Convert.FromHexString("0080000000000009")));
        Assert.False(PcpMessage.IsNatPmpRefusal(Response()));
        Assert.False(PcpMessage.IsNatPmpRefusal([]));
    }

    [Fact]
    public void Announcements_of_both_protocols_are_read()
    {
        Assert.True(PcpMessage.TryReadAnnouncement(Convert.FromHexString("02800000" + "00000000" + "0000004d" + "000000000000000000000000"), out var pcp));
        Assert.Equal(new GatewayAnnouncement(77, null), pcp);
        Assert.True(PcpMessage.TryReadAnnouncement(Convert.FromHexString("00800000" + "0000004d" + "cb007105"), out var natPmp));
        Assert.Equal(new GatewayAnnouncement(77, IPAddress.Parse("203.0.113.5")), natPmp);

        Assert.False(PcpMessage.TryReadAnnouncement(Convert.FromHexString("00800003" + "0000004d" + "cb007105"), out _));
        Assert.False(PcpMessage.TryReadAnnouncement(Response(), out _));
    }

    [Fact]
    public void Whatever_arrives_is_read_or_refused_and_never_throws()
    {
        var genuine = Response();
        var damaged =
            from bytes in Gen.OneOf(
                ArbMap.Default.GeneratorFor<byte[]>(),
                from at in Gen.Choose(0, genuine.Length - 1)
                from value in Gen.Choose(0, 255)
                from length in Gen.Choose(0, genuine.Length)
                select genuine.Select((b, index) => index == at ? (byte)value : b).Take(length).ToArray())
            select bytes;
        Prop.ForAll(damaged.ToArbitrary(), bytes =>
        {
            var read = PcpMessage.TryReadMap(bytes, Convert.FromHexString(Nonce), 8008, out var response);
            _ = PcpMessage.IsNatPmpRefusal(bytes);
            _ = PcpMessage.TryReadAnnouncement(bytes, out _);
            return !read || response.ExternalAddress is not null;
        }).QuickCheckThrowOnFailure();
    }

    private static byte[] Response(string result = "00") => Convert.FromHexString(
        "028100" + result + "00000708" + "0000004d" + "000000000000000000000000"
        + Nonce + "06000000" + "1f4810e1" + "00000000000000000000ffffcb007105");
}
