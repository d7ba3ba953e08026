using Microsoft.AspNetCore.Http;
using PiPub.Web.Access;

namespace PiPub.Web.Tests.Access;

public class HostNamesTests
{
    private readonly HostNames _names = new(static () => ["pipub.local", "pub.example.org"]);

    [Theory]
    [InlineData("pipub.local")]
    [InlineData("PiPub.local:8080")]
    [InlineData("pipub.local.")]
    [InlineData("pub.example.org")]
    [InlineData("localhost:8080")]
    [InlineData("192.168.1.5:8080")]
    [InlineData("[fe80::1]:8080")]
    [InlineData("[::1]")]
    public void The_box_goes_by_its_names_and_by_any_number(string host) => Assert.True(_names.IsOwn(new HostString(host)));

    [Theory]
    [InlineData("")]
    [InlineData("evil.example")]
    [InlineData("pipub.local.evil.example")]
    [InlineData("192.168.1.5.evil.example")]
    [InlineData("localhost.evil.example:8080")]
    [InlineData("xpub.example.org")]
    public void And_by_no_other(string host) => Assert.False(_names.IsOwn(new HostString(host)));
}
