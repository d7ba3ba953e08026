using System.Net;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Appliance.Image;
using PiPub.Appliance.Updates;
using PiPub.Appliance.Usb;
using PiPub.Node.Tests.Peers;

namespace PiPub.Appliance.Tests.Updates;

/// <summary>Updates from sticks and from a web server, with a RAUC that only pretends.</summary>
public sealed class ImageUpdatesTests : IDisposable
{
    private const string Bundle = "good pipub-pc 0.3.0\n";

    private readonly string _root = Directory.CreateTempSubdirectory("pipub-").FullName;
    private readonly ManualTime _time = new();
    private readonly Dictionary<string, string> _web = [];
    private HealthReport? _health;

    public ImageUpdatesTests()
    {
        Directory.CreateDirectory(In("usb/sda1"));
        Directory.CreateDirectory(In("data"));
        PretendedRauc.Write(_root);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task A_newer_version_on_a_stick_is_offered_and_installed_and_the_machine_restarts()
    {
        File.WriteAllText(In("usb/sda1/pipub.raucb"), Bundle);
        var updates = New();
        await updates.LookAsync(Stop);
        var offer = Assert.Single(updates.Offers);
        Assert.Equal(("0.3.0", "Test", null), (offer.Version, offer.Notes, offer.Refused));
        var installedAt = _time.GetUtcNow();
        var installing = updates.InstallAsync(offer, isByOwner: true, Stop);
        await UntilAsync(() => updates.State.Step == UpdateStep.Restart);
        Assert.False(File.Exists(In("requests/reboot")));
        await UntilAsync(() => _time.Waiting > 0);
        _time.Advance(TimeSpan.FromSeconds(3));
        await installing;
        Assert.True(File.Exists(In("requests/reboot")));

        // The node alone was begun anew: it still waits for the machine.
        Assert.Equal(UpdateStep.Restart, New().State.Step);
        var next = New(version: "0.3.0", boot: "second");
        Assert.Equal(new UpdateOutcome("0.3.0", "0.2.0", true, "", installedAt), next.Outcome);
        Assert.False(next.IsOutcomeSeen);
        next.Acknowledge();
        Assert.True(New(version: "0.3.0", boot: "third").IsOutcomeSeen);
    }

    [Fact]
    public async Task A_machine_that_went_back_says_why_and_does_not_try_again_by_itself()
    {
        Serve("0.3.0");
        var updates = New();
        await updates.LookAsync(Stop);
        await updates.InstallAsync(Assert.Single(updates.Offers), isByOwner: false, Stop);
        _health = new HealthReport("0.3.0", "The page does not answer.");
        var next = New(boot: "second");
        Assert.Equal(new UpdateOutcome("0.3.0", "0.2.0", false, "The page does not answer.", _time.GetUtcNow()), next.Outcome);
        Assert.Equal(["0.3.0"], UpdateJournal.Open(In("data")).Failed);
        // Another image on the card is nobody's doing.
        Assert.Null(New(version: "0.9.0", boot: "third").Outcome);
    }

    [Theory]
    [InlineData("good pipub-pc 0.2.0", BundleRefusal.Downgrade)]
    [InlineData("good pipub-pc 0.1.9", BundleRefusal.Downgrade)]
    [InlineData("good pipub-rpi 0.3.0", BundleRefusal.WrongBoard)]
    [InlineData("other-key", BundleRefusal.WrongKey)]
    [InlineData("truncated", BundleRefusal.Truncated)]
    [InlineData("signature", BundleRefusal.Tampered)]
    public async Task What_cannot_be_installed_is_told_at_once_and_never_written(string bundle, BundleRefusal refusal)
    {
        File.WriteAllText(In("usb/sda1/pipub.raucb"), bundle + "\n");
        var updates = New();
        await updates.LookAsync(Stop);
        var offer = Assert.Single(updates.Offers);
        Assert.Equal(refusal, offer.Refused!.Refusal);
        await updates.InstallAsync(offer, isByOwner: true, Stop);
        Assert.Equal(refusal, updates.State.Refused!.Refusal);
        Assert.Equal(UpdateStep.Idle, updates.State.Step);
        Assert.DoesNotContain("install ", File.ReadAllText(In("calls")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_payload_that_is_not_what_was_signed_is_found_while_it_is_written()
    {
        File.WriteAllText(In("usb/sda1/pipub.raucb"), "payload pipub-pc 0.3.0\n");
        var updates = New();
        await updates.LookAsync(Stop);
        await updates.InstallAsync(Assert.Single(updates.Offers), isByOwner: true, Stop);
        Assert.Equal(BundleRefusal.Tampered, updates.State.Refused!.Refusal);
        Assert.False(File.Exists(In("requests/reboot")));
        Assert.Null(New(boot: "second").Outcome);
    }

    [Fact]
    public async Task By_itself_it_looks_fetches_installs_and_restarts_at_night()
    {
        Serve("0.3.0");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var updates = New();
        var running = updates.RunAsync(stop.Token);
        await UntilAsync(() => _time.Waiting > 0);
        _time.Advance(TimeSpan.FromMinutes(10));
        await UntilAsync(() => updates.State.Step == UpdateStep.Restart);
        Assert.Empty(Directory.GetFiles(In("data/updates")));
        Assert.False(File.Exists(In("requests/reboot")));
        Assert.InRange(updates.RestartAt!.Value.Hour, 2, 3);
        for (var hours = 0; !File.Exists(In("requests/reboot")); hours++)
        {
            Assert.InRange(hours, 0, 25);
            await UntilAsync(() => _time.Waiting > 0 || File.Exists(In("requests/reboot")));
            _time.Advance(TimeSpan.FromHours(1));
            await Task.Delay(20, Stop);
        }

        Assert.InRange(_time.GetUtcNow().Hour, 2, 5);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Where_the_owner_wants_to_be_asked_it_is_only_offered()
    {
        Serve("0.3.0");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var updates = New(isAutomatic: false);
        var running = updates.RunAsync(stop.Token);
        await UntilAsync(() => _time.Waiting > 0);
        _time.Advance(TimeSpan.FromMinutes(10));
        await UntilAsync(() => updates.Offers.Count == 1 && updates.State.Step == UpdateStep.Idle && _time.Waiting > 0);
        Assert.NotNull(updates.LastLook);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_server_that_tells_of_nothing_newer_is_not_asked_again_before_its_time()
    {
        Serve("0.2.0");
        var updates = New();
        await updates.LookAsync(Stop);
        Assert.Empty(updates.Offers);
        Assert.Null(updates.State.Refused);
        Assert.Equal(_time.GetUtcNow(), UpdateJournal.Open(In("data")).LastLook);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{\"version\":7}")]
    [InlineData("{\"version\":\"0.3.0\",\"bundles\":{\"pc\":{\"url\":\"file:///etc/passwd\",\"size\":5}}}")]
    [InlineData("{\"version\":\"0.3.0\",\"bundles\":{\"pc\":{\"url\":\"a.raucb\",\"size\":-1}}}")]
    [InlineData(null)]
    public async Task A_server_that_talks_nonsense_is_told_as_such(string? answer)
    {
        if (answer is not null)
        {
            _web["/updates.json"] = answer;
        }

        var updates = New();
        await updates.LookAsync(Stop);
        Assert.Equal(BundleRefusal.NotFetched, updates.State.Refused!.Refusal);
        Assert.Empty(updates.Offers);
    }

    [Theory]
    [InlineData(-5, BundleRefusal.Truncated)]
    [InlineData(5, BundleRefusal.Truncated)]
    public async Task A_bundle_of_another_size_than_was_told_is_not_looked_into(int difference, BundleRefusal refusal)
    {
        Serve("0.3.0", Bundle.Length + difference);
        var updates = New();
        await updates.LookAsync(Stop);
        await updates.InstallAsync(Assert.Single(updates.Offers), isByOwner: true, Stop);
        Assert.Equal(refusal, updates.State.Refused!.Refusal);
        Assert.False(File.Exists(In("calls")));
        Assert.Empty(Directory.GetFiles(In("data/updates")));
    }

    [Fact]
    public async Task Without_room_nothing_is_fetched()
    {
        Serve("0.3.0", 2_000_000);
        var updates = New();
        await updates.LookAsync(Stop);
        await updates.InstallAsync(Assert.Single(updates.Offers), isByOwner: true, Stop);
        Assert.Equal(BundleRefusal.NoRoom, updates.State.Refused!.Refusal);
    }

    [Fact]
    public async Task The_slots_are_told()
    {
        Assert.Equal([new SystemSlot("A", true, false, null), new SystemSlot("B", false, true, "0.1.0")], await New().SlotsAsync(Stop));
        Assert.Empty(await new Rauc(In("nothing")).SlotsAsync(Stop));
    }

    [Theory]
    [InlineData("1.2.10", "1.2.9", 1)]
    [InlineData("1.2", "1.2.0", 0)]
    [InlineData("0.1.201", "0.1.3", 1)]
    [InlineData("1.0.0-rc1", "1.0.0", -1)]
    [InlineData("1.0.0-rc2", "1.0.0-rc1", 1)]
    [InlineData("1.0.0+7", "1.0.0", 0)]
    public void Versions_have_an_order(string one, string other, int order)
    {
        Assert.Equal(order, Math.Sign(VersionOrder.Compare(one, other)));
        Assert.Equal(-order, Math.Sign(VersionOrder.Compare(other, one)));
    }

    [Fact]
    public void Why_a_version_was_not_well_is_read_as_the_image_wrote_it()
    {
        Assert.Null(HealthReport.Read(_root));
        File.WriteAllText(In("health.json"), """{"version":"0.3.0","slot":"B","time":"2026-11-21T18:00:00Z","passed":false,"health":{"healthy":false,"checks":[{"name":"page","good":false,"words":"No page."},{"name":"log","good":true,"words":"Whole."}]}}""");
        Assert.Equal(new HealthReport("0.3.0", "No page."), HealthReport.Read(_root));
        File.WriteAllText(In("health.json"), """{"version":"0.3.0","passed":false,"health":"Killed"}""");
        Assert.Equal("Killed", HealthReport.Read(_root)!.Words);
        File.WriteAllText(In("health.json"), """{"version":"0.3.0","passed":true,"health":null}""");
        Assert.Null(HealthReport.Read(_root));
        File.WriteAllText(In("health.json"), "[");
        Assert.Null(HealthReport.Read(_root));
    }

    private void Serve(string version, int? size = null)
    {
        _web["/updates.json"] = $$$"""{"version":"{{{version}}}","notes":"Better.","bundles":{"pc":{"url":"b/pipub-pc.raucb","size":{{{size ?? Bundle.Length}}} } } }""";
        _web["/b/pipub-pc.raucb"] = Bundle;
    }

    private ImageUpdates New(string version = "0.2.0", string boot = "first", bool isAutomatic = true) => new(
        new UpdateParts(
            new ImageIdentity(version, "pc"),
            new Rauc(In("rauc")),
            new UpdateFeed(() => new Web(_web)),
            new UsbSticks(In("usb")),
            new MachineRequests(In("requests")),
            In("data"),
            boot,
            () => _health,
            () => 1_000_000),
        new UpdatePlan(new Uri("http://updates.example/updates.json"), TimeSpan.FromDays(1), isAutomatic),
        _time,
        NullLogger<ImageUpdates>.Instance);

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var waited = 0; !holds(); waited++)
        {
            Assert.True(waited < 6000, "It did not come to pass within a minute.");
            await Task.Delay(10, Stop);
        }
    }

    private string In(string name) => Path.Combine(_root, name);

    private sealed class Web(Dictionary<string, string> files) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(files.TryGetValue(request.RequestUri!.AbsolutePath, out var text)
                ? new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(text)) }
                : new HttpResponseMessage(HttpStatusCode.NotFound));
    }
}
