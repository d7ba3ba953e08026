using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Appliance.Network;
using PiPub.Node.Sentences;
using PiPub.Node.Tests.Peers;

namespace PiPub.Appliance.Tests;

/// <summary>Addresses on trial, with a networkctl that only writes down what the directory held when it was called.</summary>
public sealed class AddressTrialTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("pipub-").FullName;
    private readonly ManualTime _time = new();
    private readonly FixedAddress _wish;

    public AddressTrialTests()
    {
        Directory.CreateDirectory(Networks);
        File.WriteAllText(Ctl, $"#!/bin/sh\n[ \"$1\" = reload ] || exit 2\n[ ! -e {_directory}/broken ] || {{ echo no such service >&2; exit 1; }}\n(cat {Networks}/*.network 2>/dev/null; echo reloaded) >> {Told}\n");
        File.SetUnixFileMode(Ctl, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.Equal(AddressFault.None, FixedAddress.TryRead("192.168.1.5", 24, "192.168.1.1", "9.9.9.9", out var wish));
        _wish = wish!;
    }

    private string Networks => Path.Combine(_directory, "network");

    private string Ctl => Path.Combine(_directory, "networkctl");

    private string Told => Path.Combine(_directory, "told");

    private string File0 => Path.Combine(Networks, "10-pipub-eth0.network");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_confirmed_address_stays()
    {
        using var trial = New();
        await trial.BeginAsync("eth0", _wish, Stop);
        Assert.Contains("Name=eth0\n", await File.ReadAllTextAsync(Told, Stop), StringComparison.Ordinal);
        Assert.Contains("Address=192.168.1.5/24\nGateway=192.168.1.1\nDNS=9.9.9.9\nreloaded\n", await File.ReadAllTextAsync(Told, Stop), StringComparison.Ordinal);
        Assert.False(await trial.ConfirmAsync(IPAddress.Parse("192.168.1.77")));
        Assert.False(await trial.ConfirmAsync(IPAddress.Loopback));
        Assert.False(await trial.ConfirmAsync(null));
        Assert.NotNull(trial.Tried);
        Assert.True(await trial.ConfirmAsync(IPAddress.Parse("::ffff:192.168.1.5")));
        Assert.Null(trial.Tried);
        _time.Advance(AddressTrial.Length * 2);
        Assert.Equal(_wish.Address, trial.FixedAddressOf("eth0")!.Address);
        Assert.Equal([File0], Directory.GetFiles(Networks));
        using var next = New();
        await next.RecoverAsync();
        Assert.Equal([File0], Directory.GetFiles(Networks));
    }

    [Fact]
    public async Task Without_a_confirmation_the_box_goes_back_by_itself()
    {
        using var trial = New();
        await trial.BeginAsync("eth0", _wish, Stop);
        _time.Advance(AddressTrial.Length - TimeSpan.FromSeconds(1));
        Assert.True(File.Exists(File0));
        await Assert.ThrowsAsync<RefusedException>(() => trial.BeginAsync("eth0", null, Stop));
        _time.Advance(TimeSpan.FromSeconds(1));
        await EmptyAsync();
        Assert.False(await trial.ConfirmAsync(_wish.Address));
        Assert.EndsWith("reloaded\nreloaded\n", await File.ReadAllTextAsync(Told, Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pulled_plug_goes_back_to_the_address_before()
    {
        Assert.Equal(AddressFault.None, FixedAddress.TryRead("192.168.1.9", 24, "192.168.1.1", null, out var second));
        using (var trial = New())
        {
            await trial.BeginAsync("eth0", _wish, Stop);
            Assert.True(await trial.ConfirmAsync(_wish.Address));
            await trial.BeginAsync("eth0", second, Stop);
            Assert.Equal(second!.Address, trial.FixedAddressOf("eth0")!.Address);
        }

        using var next = New();
        await next.RecoverAsync();
        Assert.Equal(_wish.Address, next.FixedAddressOf("eth0")!.Address);
        Assert.Equal([File0], Directory.GetFiles(Networks));
    }

    [Fact]
    public async Task The_router_gives_the_address_again()
    {
        using var trial = New();
        await trial.BeginAsync("eth0", _wish, Stop);
        Assert.True(await trial.ConfirmAsync(_wish.Address));
        await trial.BeginAsync("eth0", null, Stop);
        Assert.False(File.Exists(File0));
        await trial.TakeBackAsync();
        Assert.Equal(_wish.Address, trial.FixedAddressOf("eth0")!.Address);
        await trial.BeginAsync("eth0", null, Stop);
        Assert.True(await trial.ConfirmAsync(IPAddress.Parse("192.168.1.44")));
        Assert.Empty(Directory.GetFiles(Networks));
    }

    [Fact]
    public async Task When_networkctl_fails_nothing_is_changed_and_it_says_why()
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "broken"), "", Stop);
        using var trial = New();
        var failed = await Assert.ThrowsAsync<IOException>(() => trial.BeginAsync("eth0", _wish, Stop));
        Assert.Contains("no such service", failed.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(File0));
        Assert.Null(trial.Tried);
        var missing = await Assert.ThrowsAsync<IOException>(() => new Networkctl(Path.Combine(_directory, "nothing")).ReloadAsync(Stop));
        Assert.Contains("systemd-networkd", missing.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../eth0")]
    [InlineData("")]
    [InlineData("eth0/x")]
    [InlineData("a-very-long-name-of-it")]
    public async Task Only_interfaces_have_addresses(string network)
    {
        using var trial = New();
        await Assert.ThrowsAsync<ArgumentException>(() => trial.BeginAsync(network, _wish, Stop));
    }

    private AddressTrial New() => new(Networks, new Networkctl(Ctl), _time, NullLogger<AddressTrial>.Instance);

    private async Task EmptyAsync()
    {
        for (var waited = 0; Directory.GetFiles(Networks).Length > 0; waited++)
        {
            Assert.True(waited < 600, "It did not go back within a minute.");
            await Task.Delay(100, Stop);
        }
    }
}
