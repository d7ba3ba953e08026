using System.Text;
using PiPub.Appliance.Provisioning;
using PiPub.Node.Sentences;
using PiPub.Node.Tests.Peers;

namespace PiPub.Appliance.Tests.Provisioning;

/// <summary>A card's partition and a data partition, both as directories.</summary>
public sealed class CardProvisioningTests : IDisposable
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9NhSFeVQJOWpLcAhVpmPnhMFqGmeVUWLTTgiqUVOmI anna@laptop";

    private readonly string _root = Directory.CreateTempSubdirectory("pipub-").FullName;
    private IReadOnlyList<Sentence> _settingsProblems = [];

    public CardProvisioningTests()
    {
        Directory.CreateDirectory(Card(""));
        Directory.CreateDirectory(Data(""));
        File.WriteAllText(Card("README.txt"), "hello");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_card_with_nothing_on_it_changes_nothing()
    {
        Assert.Empty(Apply().Problems);
        Assert.Equal([Data("provisioning.json")], Directory.GetFileSystemEntries(Data("")));
    }

    [Fact]
    public void Settings_hold_while_they_are_on_the_card()
    {
        File.WriteAllText(Card("pipub.conf"), "\uFEFFhost-name = attic\r\nhops = 1\r\n");
        Assert.Equal(CardFileState.Applied, State(Apply(), "pipub.conf"));
        Assert.Equal("host-name = attic\nhops = 1\n", File.ReadAllText(Data("pipub.conf")));
        Assert.Equal(CardFileState.Unchanged, State(Apply(), "pipub.conf"));
        File.Delete(Card("pipub.conf"));
        Assert.Equal(CardFileState.Missing, State(Apply(), "pipub.conf"));
        Assert.False(File.Exists(Data("pipub.conf")));
    }

    [Fact]
    public void Settings_that_cannot_be_used_leave_those_before_and_are_told_with_their_line()
    {
        File.WriteAllText(Card("pipub.conf"), "hops = 1\n");
        Apply();
        File.WriteAllText(Card("pipub.conf"), "hops = many\n");
        _settingsProblems = [Sentence.Of($"\"hops\" cannot be \"many\" (from {Card("pipub.conf")}, line 1). Allowed: 0 to 10.")];
        var report = Apply();
        Assert.Equal(CardFileState.Wrong, State(report, "pipub.conf"));
        Assert.Equal(("pipub.conf", 1), (report.Problems[0].File, report.Problems[0].Line));
        Assert.Equal("hops = 1\n", File.ReadAllText(Data("pipub.conf")));
        Assert.Equal(report.Problems, ProvisioningReport.ReadProblems(Data("")));
    }

    [Fact]
    public void What_is_wrong_keeps_its_values_apart_on_its_way_to_the_pages()
    {
        File.WriteAllText(Card("wifi"), "ssid = a\nssid = b\npassword = short\ncountry = DE\n");
        Apply();
        var told = ProvisioningReport.ReadProblems(Data(""));
        Assert.Equal(["{0} is there a second time.", "a Wi-Fi password has {0} to {1} characters."], told.Select(problem => problem.What.Format));
        Assert.Equal("The file wifi on the card, line 2: ssid is there a second time. Keep one of the lines.", told[0].Said.ToString());
        Assert.Equal([8L, 63L], told[1].What.Values);
    }

    [Fact]
    public void Ssh_is_on_while_there_is_a_key_on_the_card()
    {
        File.WriteAllText(Card("authorized_keys"), $"# mine\r\n{Key}\r\nfrom=\"192.168.1.*\" {Key}\n");
        Assert.Equal(CardFileState.Applied, State(Apply(), "authorized_keys"));
        Assert.Equal($"{Key}\nfrom=\"192.168.1.*\" {Key}\n", File.ReadAllText(Data("ssh/authorized_keys")));
        File.Delete(Card("authorized_keys"));
        Apply();
        Assert.False(File.Exists(Data("ssh/authorized_keys")));
    }

    [Theory]
    [InlineData("ssh-ed25519 AAAA", "no public key")]
    [InlineData("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJ9NhSFeVQJOWpLcAhVpmPnhMFqGmeVUWLTTgiqUVOmI", "no public key")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----", "private key")]
    [InlineData("hello", "no public key")]
    public void What_is_no_key_opens_nothing(string line, string problem)
    {
        File.WriteAllText(Card("authorized_keys"), line);
        var report = Apply();
        Assert.Contains(problem, Assert.Single(report.Problems).What.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, report.Problems[0].Line);
        Assert.False(File.Exists(Data("ssh/authorized_keys")));
    }

    [Theory]
    [InlineData("wifi", "ssid = Café \"am Eck\"\npassword = s3cr=t# \"x\"\ncountry = de\n")]
    [InlineData("wifi.txt", "\uFEFFCafé \"am Eck\"\r\ns3cr=t# \"x\"\r\nDE\r\n")]
    public void A_wireless_network_is_joined_and_its_password_leaves_the_card(string name, string text)
    {
        File.WriteAllText(Card(name), text);
        var report = Apply();
        Assert.Empty(report.Problems);
        Assert.Equal(CardFileState.Applied, State(report, "wifi"));
        Assert.False(File.Exists(Card(name)));
        var written = File.ReadAllText(Data("wifi/wpa_supplicant.conf"));
        // wpa_passphrase of wpasupplicant 2.10 says the same key.
        Assert.Contains("\ncountry=DE\n", written, StringComparison.Ordinal);
        Assert.Contains("  ssid=436166c3a92022616d2045636b22\n", written, StringComparison.Ordinal);
        Assert.Contains($"  sae_password={Convert.ToHexStringLower("s3cr=t# \"x\""u8)}\n", written, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr", written, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Data("wifi/wpa_supplicant.conf")));
        Assert.DoesNotContain("s3cr", File.ReadAllText(Data("provisioning.json")), StringComparison.Ordinal);
        Assert.Equal(CardFileState.Missing, State(Apply(), "wifi"));
        Assert.True(File.Exists(Data("wifi/wpa_supplicant.conf")));
    }

    [Fact]
    public void The_key_for_wpa2_is_that_of_the_standard()
    {
        // IEEE 802.11-2020, J.4.2, test case 1.
        Assert.True(WifiFile.TryRead(["ssid = IEEE", "password = password", "country = US"], out var wifi, out _));
        Assert.Contains("psk=f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e\n", wifi.ToSupplicant(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_open_network_must_be_said_to_be_one()
    {
        Assert.True(WifiFile.TryRead(["ssid = Library", "password = none", "country = FR"], out var wifi, out _));
        Assert.Contains("key_mgmt=NONE", wifi.ToSupplicant(), StringComparison.Ordinal);
        Assert.False(WifiFile.TryRead(["ssid = Library", "country = FR"], out _, out _));
    }

    [Theory]
    [InlineData("ssid = a\npassword = short\ncountry = DE", 2, "8 to 63")]
    [InlineData("ssid = a\npassword = long enough", null, "country")]
    [InlineData("password = long enough\ncountry = DE", null, "name of the network")]
    [InlineData("ssid = a\nssid = b\npassword = long enough\ncountry = DE", 2, "second time")]
    [InlineData("ssid = a\npassword = long enough\ncountry = DE\nkey = b", 4, "not understood")]
    [InlineData("ssid = a\npassword = long enough\ncountry = Germany", 3, "country")]
    public void A_wireless_network_that_is_not_whole_stays_on_the_card_to_be_mended(string text, int? line, string problem)
    {
        File.WriteAllText(Card("wifi"), text);
        var report = Apply();
        var told = Assert.Single(report.Problems);
        Assert.Equal(line, told.Line);
        Assert.Contains(problem, told.What.ToString(), StringComparison.Ordinal);
        Assert.True(File.Exists(Card("wifi")));
        Assert.False(Directory.Exists(Data("wifi")));
        Assert.DoesNotContain("long enough", told.Said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_claim_code_moves_to_the_node_alone()
    {
        File.WriteAllText(Card("claim.txt"), "  blue horse 77\r\n");
        Assert.Empty(Apply().Problems);
        Assert.Equal("blue horse 77\n", File.ReadAllText(Data("pipub/claim")));
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(Data("pipub/claim")));
        Assert.False(File.Exists(Card("claim.txt")));
        File.WriteAllText(Card("claim"), "another one 1");
        Apply();
        Assert.Equal("another one 1\n", File.ReadAllText(Data("pipub/claim")));
        File.WriteAllText(Card("claim"), "short");
        Assert.Equal("claim", Assert.Single(Apply().Problems).File);
        Assert.True(File.Exists(Card("claim")));
    }

    [Fact]
    public void What_is_no_text_is_told_and_nothing_else_suffers()
    {
        File.WriteAllBytes(Card("wifi"), [0xFF, 0xD8, 0xFF, 0xE0, 0, 1]);
        File.WriteAllBytes(Card("claim"), new byte[CardFile.MaxBytes + 1]);
        File.WriteAllText(Card("pipub.conf"), "hops = 1\n");
        var report = Apply();
        Assert.Equal(["wifi", "claim"], report.Problems.Select(problem => problem.File));
        Assert.True(File.Exists(Data("pipub.conf")));
    }

    [Fact]
    public void Notepads_other_encoding_is_read_too()
    {
        File.WriteAllText(Card("pipub.conf"), "host-name = küche\n", Encoding.Unicode);
        Apply();
        Assert.Equal("host-name = küche\n", File.ReadAllText(Data("pipub.conf")));
    }

    [Fact]
    public void A_partition_that_is_not_mounted_takes_nothing_away()
    {
        File.WriteAllText(Card("authorized_keys"), Key);
        Apply();
        Directory.Delete(Card(""), recursive: true);
        Directory.CreateDirectory(Card(""));
        Assert.Single(Apply().Problems);
        Assert.True(File.Exists(Data("ssh/authorized_keys")));
    }

    [Fact]
    public void A_report_that_is_none_tells_nothing()
    {
        Assert.Empty(ProvisioningReport.ReadProblems(Data("")));
        foreach (var text in (string[])[
            "{\"problems\":7}",
            "{\"problems\":[{\"file\":\"wifi\",\"said\":[]}]}",
            "{\"problems\":[{\"file\":\"wifi\",\"said\":[{\"words\":\"It has {1} lines.\",\"values\":[7]}]}]}",
            "{\"problems\":[{\"file\":\"wifi\",\"said\":[{\"words\":\"{0}\",\"values\":[7.5]}]}]}"])
        {
            File.WriteAllText(Data("provisioning.json"), text);
            Assert.Empty(ProvisioningReport.ReadProblems(Data("")));
        }
    }

    private static CardFileState State(ProvisioningReport report, string name) => report.Files.Single(file => file.Name == name).State;

    private ProvisioningReport Apply() => new CardProvisioning(
        Card(""), Data(""), new ProvisioningRules(_ => _settingsProblems, code => code.Length < 8 ? Sentence.Of($"it is too short.") : null, null), new ManualTime()).Apply();

    private string Card(string name) => Path.Combine(_root, "card", name);

    private string Data(string name) => Path.Combine(_root, "data", name);
}
