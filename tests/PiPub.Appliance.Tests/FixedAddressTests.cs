using System.Net;
using PiPub.Appliance.Network;

namespace PiPub.Appliance.Tests;

public sealed class FixedAddressTests
{
    [Theory]
    [InlineData("192.168.1.5", 24, "192.168.1.1", "", AddressFault.None)]
    [InlineData(" 10.0.0.2 ", 8, "10.255.0.1", "1.1.1.1, 2606:4700::1111", AddressFault.None)]
    [InlineData("192.168.1.5", 30, "192.168.1.6", "", AddressFault.None)]
    [InlineData("", 24, "192.168.1.1", "", AddressFault.NotUsable)]
    [InlineData("192.168.1", 24, "192.168.1.1", "", AddressFault.NotUsable)]
    [InlineData("127.0.0.1", 24, "127.0.0.2", "", AddressFault.NotUsable)]
    [InlineData("224.0.0.1", 24, "224.0.0.2", "", AddressFault.NotUsable)]
    [InlineData("0.0.0.1", 24, "0.0.0.2", "", AddressFault.NotUsable)]
    [InlineData("fe80::1", 24, "fe80::2", "", AddressFault.NotUsable)]
    [InlineData("192.168.1.5", 31, "192.168.1.4", "", AddressFault.PrefixLength)]
    [InlineData("192.168.1.5", 0, "192.168.1.1", "", AddressFault.PrefixLength)]
    [InlineData("192.168.1.0", 24, "192.168.1.1", "", AddressFault.SubnetOrBroadcast)]
    [InlineData("192.168.1.255", 24, "192.168.1.1", "", AddressFault.SubnetOrBroadcast)]
    [InlineData("192.168.1.5", 24, "192.168.2.1", "", AddressFault.RouterElsewhere)]
    [InlineData("192.168.1.5", 24, "192.168.1.255", "", AddressFault.RouterElsewhere)]
    [InlineData("192.168.1.5", 24, "", "", AddressFault.RouterElsewhere)]
    [InlineData("192.168.1.5", 24, "192.168.1.5", "", AddressFault.RouterIsSame)]
    [InlineData("192.168.1.5", 24, "192.168.1.1", "router", AddressFault.NameServer)]
    [InlineData("192.168.1.5", 24, "192.168.1.1", "1.1.1.1 1.0.0.1 8.8.8.8 8.8.4.4", AddressFault.NameServer)]
    [InlineData("192.168.1.5\nDHCP=yes", 24, "192.168.1.1", "", AddressFault.NotUsable)]
    public void What_a_person_types_in_is_judged(string address, int prefix, string router, string servers, AddressFault fault)
    {
        Assert.Equal(fault, FixedAddress.TryRead(address, prefix, router, servers, out var read));
        Assert.Equal(fault == AddressFault.None, read is not null);
    }

    [Fact]
    public void The_kernels_table_tells_who_answered()
    {
        string[] table =
        [
            "IP address       HW type     Flags       HW address            Mask     Device",
            "192.168.1.1      0x1         0x2         00:11:22:33:44:55     *        eth0",
            "192.168.1.7      0x1         0x0         00:00:00:00:00:00     *        eth0",
        ];
        Assert.True(AddressProbe.IsAnswered(table, IPAddress.Parse("192.168.1.1")));
        Assert.False(AddressProbe.IsAnswered(table, IPAddress.Parse("192.168.1.7")));
        Assert.False(AddressProbe.IsAnswered(table, IPAddress.Parse("192.168.1.8")));
    }
}
