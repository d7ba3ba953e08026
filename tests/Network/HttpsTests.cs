using System.Security.Cryptography.X509Certificates;
using PiPub.Interop;
using PiPub.NetworkTests.Lab;

namespace PiPub.NetworkTests;

/// <summary>The box's doors as another host in the home finds them: HTTPS under its addresses, and the button.</summary>
public sealed class HttpsTests
{
    private const int NotTrusted = 60;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_trusts_the_authority_reaches_the_box_under_its_name_and_each_address_also_a_new_one()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var (host, other) = (await lab.AddHostAsync("host", lan, "192.168.7.2/24", "fd00:7::2/64"), await lab.AddHostAsync("other", lan, "192.168.7.3/24", "fd00:7::3/64"));
        _ = await host.StartBoxAsync();
        var trusted = Path.Combine(lab.NewDirectory("trusted"), "authority.crt");
        await other.RunAsync("curl", "-sSf", "-o", trusted, "http://192.168.7.2:8080/authority.crt");
        Assert.Equal(NotTrusted, await AskAsync("https://192.168.7.2:8443/healthz"));
        using (var authority = X509CertificateLoader.LoadCertificateFromFile(trusted))
            await File.WriteAllTextAsync(trusted, authority.ExportCertificatePem(), Stop);

        foreach (var address in (string[])["192.168.7.2", "[fd00:7::2]", "pipub.local"])
            Assert.Equal(0, await AskAsync($"https://{address}:8443/healthz", "--cacert", trusted, "--resolve", "pipub.local:8443:192.168.7.2"));
        Assert.Equal(NotTrusted, await AskAsync("https://attic.local:8443/healthz", "--cacert", trusted, "--resolve", "attic.local:8443:192.168.7.2"));

        // The router gives it another address, and one that is not of a home.
        await host.AddAddressAsync("eth0", "10.7.0.2/24");
        await other.AddAddressAsync("eth0", "10.7.0.3/24");
        await Eventually.BecomesTrueAsync(async () => await AskAsync("https://10.7.0.2:8443/healthz", "--cacert", trusted) == 0, "The new address is in the certificate");
        await host.AddAddressAsync("eth0", "203.0.113.2/24");
        await other.AddAddressAsync("eth0", "203.0.113.3/24");
        Assert.Equal(NotTrusted, await AskAsync("https://203.0.113.2:8443/healthz", "--cacert", trusted));
        Assert.Equal(0, await AskAsync("https://192.168.7.2:8443/healthz", "--cacert", trusted));

        async Task<int> AskAsync(string url, params string[] options) => (await other.TryRunAsync("curl", ["-sSf", "--max-time", "30", .. options, url])).ExitCode;
    }

    [Fact]
    public async Task The_button_opens_the_box_to_its_own_subnet_and_to_nobody_behind_a_router()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var (host, other) = (await lab.AddHostAsync("host", lan, "192.168.7.2/24"), await lab.AddHostAsync("other", lan, "192.168.7.3/24"));
        await other.AddAddressAsync("eth0", "198.51.100.3/32");
        await host.IpAsync("route", "add", "198.51.100.3/32", "dev", "eth0");
        var box = await host.StartBoxAsync();
        Assert.DoesNotContain("The button was pressed", await PageAsync("192.168.7.3"), StringComparison.Ordinal);
        await box.CommandAsync("claim");
        Assert.Contains("The button was pressed", await PageAsync("192.168.7.3"), StringComparison.Ordinal);
        var outside = await PageAsync("198.51.100.3");
        Assert.Contains("The code that the box shows", outside, StringComparison.Ordinal);
        Assert.DoesNotContain("The button was pressed", outside, StringComparison.Ordinal);

        Task<string> PageAsync(string from) => other.RunAsync("curl", "-sSf", "--max-time", "30", "--interface", from, "http://192.168.7.2:8080/claim");
    }
}
