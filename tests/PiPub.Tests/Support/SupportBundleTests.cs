using System.IO.Compression;
using System.Net;
using System.Text;
using PiPub.Support;
using PiPub.Tests.Face;

namespace PiPub.Tests.Support;

/// <summary>What is given to somebody who helps must not give anything away.</summary>
public sealed class SupportBundleTests
{
    private const string Password = "correct horse battery";
    private const string Hmac = "bm90IHRoZSBtYWluIG5ldHdvcmsncyBhdCBhbGwhISE=";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_planted_secret_is_in_it_however_it_is_written()
    {
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(directory.In("pipub.conf"), $"# my password is {Password}\nmessage-hmac-key = {Hmac}\nhops = 3 # {Password}\n", Stop);
        await using var box = await RunningBox.StartAsync(directory.Path, "--log-level", "debug");
        using var owner = new Visitor(box);
        var claim = box.Start.GetProperty("claimCode").GetString()!;
        await owner.ClaimAsync(box, Password);
        var invite = (await box.AskAsync("invite", "create", "--note", "for Mira Petersen")).GetProperty("invite").GetString()!;
        await box.DoAsync("publish", "--text", "a message about marmalade");
        await box.DoAsync("follow", "@AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=.ed25519");

        var answer = await owner.FillInAsync("/settings", "/settings/support-bundle");
        Assert.Equal((HttpStatusCode.OK, "application/zip"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        var bundle = new StringBuilder();
        using (var zip = new ZipArchive(await answer.Content.ReadAsStreamAsync(Stop)))
        {
            Assert.Equal(["README.txt", "status.json", "reach.json", "machine.json", "configuration.txt", "log.txt"], zip.Entries.Select(static entry => entry.FullName));
            foreach (var entry in zip.Entries)
            {
                using var reader = new StreamReader(await entry.OpenAsync(Stop));
                bundle.Append(await reader.ReadToEndAsync(Stop));
            }
        }

        var text = bundle.ToString();
        Assert.Contains("hops = 3\n", text, StringComparison.Ordinal);
        Assert.Contains("message-hmac-key = (taken out)", text, StringComparison.Ordinal);
        Assert.Contains("\"messages\": 2", text, StringComparison.Ordinal);
        var secret = (await File.ReadAllTextAsync(directory.In("secret"), Stop)).Split('"').First(static part => part.EndsWith(".ed25519", StringComparison.Ordinal) && part.Length > 80)[..^8];
        var session = owner.Cookies.GetAllCookies().First(static cookie => cookie.Name == "pipub-session").Value;
        byte[][] keys =
        [
            Convert.FromBase64String(secret), Convert.FromBase64String(secret)[..32], Convert.FromBase64String(Hmac), Convert.FromBase64String(RunningBox.NetworkKey),
            Convert.FromBase64String(invite[(invite.IndexOf('~', StringComparison.Ordinal) + 1)..]), Convert.FromHexString(session), Convert.FromBase64String(box.Id[1..^8]),
        ];
        foreach (var key in keys)
        {
            var base64 = Convert.ToBase64String(key);
            string[] ways = [base64, base64.TrimEnd('='), base64.Replace('+', '-').Replace('/', '_').TrimEnd('='), Uri.EscapeDataString(base64), Convert.ToHexString(key), Encoding.Latin1.GetString(key)];
            Assert.All(ways, way => Assert.DoesNotContain(way, text, StringComparison.OrdinalIgnoreCase));
            // Nor a part of it.
            Assert.DoesNotContain(base64[4..24], text, StringComparison.Ordinal);
        }

        string[] words = [Password, "argon2", claim, invite, "Mira", "marmalade", "pipub-session"];
        Assert.All(words, word => Assert.DoesNotContain(word, text, StringComparison.OrdinalIgnoreCase));
        Assert.All(words, word => Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(word)).TrimEnd('='), text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_is_only_given_to_a_form_of_the_box_itself()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var owner = new Visitor(box);
        await owner.ClaimAsync(box, Password);
        var answer = await owner.PostAsync("/settings/support-bundle");
        Assert.Equal((HttpStatusCode.Redirect, "/settings#support"), (answer.StatusCode, answer.Headers.Location!.ToString()));
    }

    [Theory]
    [InlineData("@AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=.ed25519")]
    [InlineData("%AAEC+wQFBgcICQoLDA0O/xAREhMUFRYXGBkaGxwdHh8=.sha256")]
    [InlineData("AAEC-wQFBgcICQoLDA0O_xAREhMUFRYXGBkaGxwdHh8")]
    [InlineData("000102030405060708090a0b0c0d0e0f")]
    [InlineData("AAECAwQFBgcICQoLDA0ODw==")]
    [InlineData("1234-5678")]
    [InlineData("mira@example.org")]
    public void Whatever_looks_like_a_secret_is_replaced(string secret)
    {
        var redacted = new Redaction().Apply($"Peer ({secret}) came on 2026-11-21 at 14:55 from 192.168.1.5.");
        Assert.Matches(@"^Peer \(id-[0-9a-f]{8}\) came on 2026-11-21 at 14:55 from 192\.168\.1\.5\.$", redacted);
    }

    [Fact]
    public void The_same_feed_is_the_same_in_one_bundle_and_another_in_the_next()
    {
        const string Key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        var redaction = new Redaction();
        Assert.Equal(redaction.Apply($"@{Key}.ed25519"), redaction.Apply($"net:192.168.1.5:8008~shs:{Key}")["net:192.168.1.5:8008~shs:".Length..]);
        Assert.NotEqual(redaction.Apply(Key), new Redaction().Apply(Key));
    }
}
