using System.Net;
using PiPub.Appliance.Image;
using PiPub.Configuration;
using PiPub.Lives;
using PiPub.Tests.Face;

namespace PiPub.Tests.Health;

/// <summary>A box that runs from an image, as its pages show it.</summary>
public sealed class ImageTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_settings_show_the_images_version_and_how_it_is_updated()
    {
        Image("1.2.3");
        await using var box = await StartAsync("--update-url", "https://updates.example/pipub.json");
        using var owner = new Visitor(box);
        await owner.ClaimAsync(box, "correct horse");
        var page = await TextAsync(owner, "/settings");
        Assert.Contains("PiPub 1.2.3 runs here.", page, StringComparison.Ordinal);
        Assert.Contains("https://updates.example/pipub.json", page, StringComparison.Ordinal);
        Assert.Contains("come by themselves", await TextAsync(owner, "/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_box_that_went_back_to_the_version_before_says_so_with_the_reason()
    {
        Image("1.2.3");
        Directory.CreateDirectory(_directory.In("pipub"));
        await File.WriteAllTextAsync(_directory.In("pipub/update.json"), """{"installed":{"version":"1.3.0","from":"1.2.3","boot":"another","at":"2026-11-21T10:00:00Z"},"seen":false,"failed":[]}""", Stop);
        await File.WriteAllTextAsync(_directory.In("health.json"), """{"version":"1.3.0","slot":"B","passed":false,"health":{"healthy":false,"checks":[{"name":"page","good":false,"words":"The page fell over."}]}}""", Stop);
        await using var box = await StartAsync();
        using var owner = new Visitor(box);
        await owner.ClaimAsync(box, "correct horse");
        Assert.Contains("went back to 1.2.3", await TextAsync(owner, "/"), StringComparison.Ordinal);
        Assert.Contains("The page fell over.", await TextAsync(owner, "/settings"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_factory_reset_is_noted_down_and_asked_of_the_machine()
    {
        Directory.CreateDirectory(_directory.In("pipub"));
        var options = new PiPubOptions { DataDirectory = _directory.In("pipub"), ConfigurationFile = _directory.In("pipub/pipub.conf") };
        new StagedFactoryReset(options, new BoxLife(() => options), new MachineRequests(_directory.In("requests"))).Begin();
        Assert.True(File.Exists(_directory.In("requests/factory-reset")));
        Assert.Equal("factory-reset\n", File.ReadAllText(_directory.In("pipub/at-start")));
    }

    private Task<RunningBox> StartAsync(params string[] settings) => RunningBox.StartAsync(
        _directory.In("pipub"), ["--image-directory", _directory.In("image"), "--reports-directory", _directory.Path, "--log-level", "none", .. settings]);

    private void Image(string version)
    {
        Directory.CreateDirectory(_directory.In("image"));
        File.WriteAllText(_directory.In("image/image-version"), version + "\n");
        File.WriteAllText(_directory.In("image/board"), "pc\n");
    }

    private static async Task<string> TextAsync(Visitor owner, string path) =>
        WebUtility.HtmlDecode(await (await owner.GetAsync(path)).Content.ReadAsStringAsync(Stop));
}
