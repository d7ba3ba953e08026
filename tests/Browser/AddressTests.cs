using System.Diagnostics;
using PiPub.Interop;

namespace PiPub.BrowserTests;

/// <summary>
/// The box's address is changed on its pages. Its network is an interface of the test's own, and systemd-networkd is played by a
/// script that gives the interface the address in its file.
/// </summary>
public sealed class AddressTests(Chromium chromium) : IAsyncLifetime
{
    private const string Interface = "pipub0";
    private const string First = "10.77.0.2";

    private readonly TestNetwork network = new();

    public async ValueTask InitializeAsync()
    {
        // Asked before there is a cable, which with both its ends here leads nowhere.
        LoopbackNamespace.Require();
        await RunAsync("ip", "link", "add", Interface, "type", "veth", "peer", "name", Interface + "-end");
        await RunAsync("ip", "link", "set", Interface + "-end", "up");
        await RunAsync("ip", "link", "set", Interface, "up");
        await RunAsync("ip", "addr", "add", First + "/24", "dev", Interface);
    }

    public async ValueTask DisposeAsync()
    {
        await network.DisposeAsync();
        await RunAsync("ip", "link", "delete", Interface);
    }

    [Fact]
    public async Task A_fixed_address_stays_only_when_it_is_confirmed_there_and_can_be_taken_back()
    {
        var files = Directory.CreateDirectory(Path.Combine(network.Directory, "networkd")).FullName;
        var programs = Directory.CreateDirectory(Path.Combine(network.Directory, "programs")).FullName;
        var networkctl = Path.Combine(programs, "networkctl");
        await File.WriteAllTextAsync(
            networkctl,
            $"""
            #!/bin/sh
            address=$(sed -n 's/^Address=//p' {files}/10-pipub-{Interface}.network 2>/dev/null)
            ip addr flush dev {Interface}
            ip addr add "$([ -n "$address" ] && echo "$address" || echo {First}/24)" dev {Interface}
            """,
            TestContext.Current.CancellationToken);
        File.SetUnixFileMode(networkctl, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var pub = network.Keep(await PiPubProcess.StartInAsync(
            ["env", $"PATH={programs}:{Environment.GetEnvironmentVariable("PATH")}"],
            network.NewDirectory("PiPub"),
            network.NetworkKey,
            "--network-directory", files, "--discovery", "off"));

        await using var owner = await OpenAsync(pub, First);
        await owner.ClaimAsync(pub);
        await owner.GoLiveAsync("/settings");
        await ChooseAsync(owner, "10.77.0.255");
        await owner.SeesAsync("That address means the whole network.");
        await owner.FillAsync("Address", "10.77.0.5");
        await owner.ClickAsync("Try this address");

        await using var there = await OpenAsync(pub, "10.77.0.5");
        await there.SignInAsync();
        await there.GoLiveAsync("/settings");
        await there.SeesAsync("The box tries the address 10.77.0.5");
        await there.ClickAsync("Keep this address");
        await there.SeesAsync("The address stays as it is now.");
        Assert.Equal(0, await there.Page.GetByText("The box tries the address").CountAsync());

        await there.GoLiveAsync("/settings");
        // The form shows the network that has a fixed address.
        await there.FillAsync("Address", "10.77.0.9");
        await there.ClickAsync("Try this address");
        await using var elsewhere = await OpenAsync(pub, "10.77.0.9");
        await elsewhere.SignInAsync();
        await elsewhere.GoLiveAsync("/settings");
        await elsewhere.ClickAsync("Go back to the address before");
        await using var back = await OpenAsync(pub, "10.77.0.5");
        await back.SignInAsync();
        await back.GoLiveAsync("/settings");
        Assert.Equal(0, await back.Page.GetByText("The box tries the address").CountAsync());
        Assert.Equal("10.77.0.5", await back.Page.GetByLabel("Address", new() { Exact = true }).InputValueAsync());
    }

    private static async Task ChooseAsync(Visit visit, string address)
    {
        await visit.Page.GetByLabel("Which network").SelectOptionAsync(Interface);
        await visit.Page.GetByLabel("It is always the same, as written here").CheckAsync();
        await visit.FillAsync("Address", address);
        await visit.FillAsync("The router's address", "10.77.0.1");
        await visit.ClickAsync("Try this address");
    }

    /// <summary>Opens the box's page at an address, as soon as the box has it.</summary>
    private async Task<Visit> OpenAsync(PiPubProcess pub, string address)
    {
        var origin = $"http://{address}:{pub.Web}";
        // A question to an address that nobody has yet is never answered.
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                try
                {
                    return (await http.GetAsync(origin + "/healthz", TestContext.Current.CancellationToken)).IsSuccessStatusCode;
                }
                catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
                {
                    return false;
                }
            },
            $"The box answers at {address}");
        return await Visit.OpenAsync(chromium.Browser, origin);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}");
    }
}
