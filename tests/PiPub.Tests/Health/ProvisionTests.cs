using System.Net;
using PiPub.Tests.Face;

namespace PiPub.Tests.Health;

/// <summary><c>pipub provision</c>, and the box that shows what was wrong.</summary>
public sealed class ProvisionTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task What_was_wrong_on_the_card_is_shown_on_the_page_and_the_box_runs_all_the_same()
    {
        Directory.CreateDirectory(_directory.In("card"));
        await File.WriteAllTextAsync(_directory.In("card/pipub.conf"), "# mine\nhops = eleven\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_directory.In("card/claim"), "blue horse 77", TestContext.Current.CancellationToken);
        var (code, output, errors) = await RunningBox.CommandAsync(_directory.Path, "provision", "--firmware", _directory.In("card"), "--data", _directory.Path);
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("line 2", output, StringComparison.Ordinal);

        await using var box = await RunningBox.StartAsync(
            _directory.In("pipub"), "--reports-directory", _directory.Path, "--claim-file", _directory.In("pipub/claim"), "--card-settings", _directory.In("pipub.conf"));
        using var owner = new Visitor(box);
        var claim = await (await owner.GetAsync("/claim")).Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("Something that was written on the card could not be used.", claim, StringComparison.Ordinal);
        Assert.DoesNotContain("eleven", claim, StringComparison.Ordinal); // Nobody knows yet whose it is.
        await owner.FillInAsync("/claim", "/access/claim", ("code", "blue-horse-77"), ("password", "correct horse"), ("again", "correct horse"));
        Assert.Contains("eleven", await (await owner.GetAsync("/")).Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains(
            "Die Datei pipub.conf auf der Karte, Zeile 2: „hops“ kann nicht „eleven“ sein (aus " + _directory.In("card/pipub.conf") + ", Zeile 2).",
            WebUtility.HtmlDecode(await (await owner.GetAsync("/", language: "de")).Content.ReadAsStringAsync(TestContext.Current.CancellationToken)),
            StringComparison.Ordinal);
        Assert.Contains("The file pipub.conf on the card, line 2", await (await owner.GetAsync("/api/status")).Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}
