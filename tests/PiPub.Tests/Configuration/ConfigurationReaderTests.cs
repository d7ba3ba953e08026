using System.Collections;
using PiPub.Configuration;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Tests.Configuration;

public sealed class ConfigurationReaderTests : IDisposable
{
    private const string Base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private readonly string _directory = Directory.CreateTempSubdirectory("pipub-config-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>For every key: a value that is allowed and what it becomes, and one that is not.</summary>
    public static TheoryData<string, string, string, string> EveryKey() => new()
    {
        { "data-directory", "/tmp/a box", "/tmp/a box", "" },
        { "network-key", Base64, Base64, "1KHLiKZvAvjbY1ziZEHMXawbCEIM6qwjCDm3VYRan/s" },
        { "message-hmac-key", Base64, Base64, "secret" },
        { "ssb-port", "18008", "18008", "65536" },
        { "ssb-bind", "127.0.0.1, ::1", "127.0.0.1,::1", "example.org" },
        { "web-port", "0", "0", "-1" },
        { "web-bind", "localhost", "127.0.0.1,::1", "1.2.3.4.5" },
        { "https-port", "off", "off", "on" },
        { "hops", "3", "3", "two" },
        { "blob-quota", "1.5GB", "1500000000", "1.5 gigs" },
        { "blob-quota-per-author", "10 MiB", "10485760", "-1" },
        { "blob-max-size", "5242880", "5242880", "5XB" },
        { "min-free-space", "0", "0", "99999999999999TB" },
        { "max-connections", "7", "7", "0" },
        { "max-outgoing", "0", "0", "1001" },
        { "max-connections-per-address", "1", "1", "0" },
        { "connection-rate-per-address", "5", "5", "1e3" },
        { "public-host", "pub.example, 2001:db8::1", "pub.example,2001:db8::1", "pub.example:8008/x" },
        { "connect", $"net:pub.example:8008~shs:{Base64}", $"net:pub.example:8008~shs:{Base64}", "pub.example:8008" },
        { "discovery", "off", "False", "maybe" },
        { "host-name", "Attic", "attic", "attic.local" },
        { "network-directory", "/etc/systemd/network", "/etc/systemd/network", "" },
        { "map-port", "off", "False", "maybe" },
        { "map-web-port", "on", "True", "maybe" },
        { "claim-file", "/tmp/claim.txt", "/tmp/claim.txt", "" },
        { "import-directory", "/media/stick", "/media/stick", "" },
        { "backup-directory", "/media/stick", "/media/stick", "" },
        { "backup-every", "30", "30", "0" },
        { "card-settings", "/data/pipub.conf", "/data/pipub.conf", "" },
        { "image-directory", "/usr/lib/pipub", "/usr/lib/pipub", "" },
        { "reports-directory", "/data", "/data", "" },
        { "requests-directory", "/run/pipub/requests", "/run/pipub/requests", "" },
        { "usb-directory", "/run/usb", "/run/usb", "" },
        { "hardware-file", "/data/hardware.conf", "/data/hardware.conf", "" },
        { "update-url", "https://pub.example/updates.json", "https://pub.example/updates.json", "pub.example" },
        { "update-every", "7", "7", "31" },
        { "update-automatic", "off", "False", "sometimes" },
        { "log-level", "warn", "Warning", "loud" },
    };

    [Fact]
    public void Every_key_of_the_table_is_tested_here() =>
        Assert.Equal(ConfigurationTable.Keys.Select(key => key.Name), EveryKey().Select(row => row.Data.Item1));

    [Theory]
    [MemberData(nameof(EveryKey))]
    public void A_key_is_read_from_file_environment_and_command_line(string key, string value, string expected, string bad)
    {
        Assert.NotEqual(value, bad);
        File.WriteAllText(Path.Combine(_directory, "pipub.conf"), $"{key} = {value}\n");
        Assert.Equal(expected, Show(ConfigurationReader.Read(Path.Combine(_directory, "pipub.conf"), Variables(), []), key));

        Assert.Equal(expected, Show(ConfigurationReader.Read(null, Variables((Variable(key), value)), []), key));

        Assert.Equal(expected, Show(ConfigurationReader.Read(null, Variables(), [Given(key, value)]), key));
    }

    [Theory]
    [MemberData(nameof(EveryKey))]
    public void A_bad_value_is_refused_with_key_value_place_and_what_is_allowed(string key, string value, string expected, string bad)
    {
        Assert.NotEqual(expected + value, bad);
        var row = ConfigurationTable.Find(key)!;
        var path = Path.Combine(_directory, "pipub.conf");
        File.WriteAllText(path, $"# a comment\n{key} = {bad}\n");
        AssertRefused(() => ConfigurationReader.Read(path, Variables(), []), $"{path}, line 2");
        AssertRefused(() => ConfigurationReader.Read(null, Variables((Variable(key), bad)), []), Variable(key));
        AssertRefused(() => ConfigurationReader.Read(null, Variables(), [Given(key, bad)]), "--" + key);

        void AssertRefused(Func<PiPubOptions> read, string where)
        {
            var message = Assert.Throws<ConfigurationException>(read).Message;
            Assert.Contains($"\"{key}\" cannot be \"{bad}\"", message, StringComparison.Ordinal);
            Assert.Contains(where, message, StringComparison.Ordinal);
            Assert.Contains(row.Allowed.Replace("`", ""), message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_stronger_place_wins()
    {
        File.WriteAllText(Path.Combine(_directory, "pipub.conf"), "ssb-port = 1\nweb-port = 2\nhops = 3\n");
        var options = ConfigurationReader.Read(
            null,
            Variables(("PIPUB_WEB_PORT", "22"), ("PIPUB_HOPS", "4"), ("PIPUB_DATA_DIRECTORY", _directory)),
            [Given("hops", "5")]);
        Assert.Equal((1, 22, 5), (options.SsbPort, options.WebPort, options.Hops));
    }

    [Fact]
    public void On_an_image_the_cards_settings_win_over_the_pages_and_those_over_the_images()
    {
        var (image, card) = (Path.Combine(_directory, "image.conf"), Path.Combine(_directory, "card.conf"));
        File.WriteAllText(image, $"data-directory = {_directory}\ncard-settings = {card}\nweb-port = 80\nhops = 1\nhost-name = image\n");
        File.WriteAllText(Path.Combine(_directory, "pipub.conf"), "hops = 3\nhost-name = page\n");
        File.WriteAllText(card, "# mine\nhost-name = attic\n");
        var options = ConfigurationReader.Read(null, Variables(), [], image);
        Assert.Equal((80, 3, "attic", _directory), (options.WebPort, options.Hops, options.HostName, options.DataDirectory));
        Assert.Equal(Path.Combine(_directory, "pipub.conf"), options.ConfigurationFile);
        Assert.Equal($"{card}, line 2", options.SetElsewhere["host-name"].ToString());
        Assert.DoesNotContain("hops", options.SetElsewhere.Keys);
        Assert.DoesNotContain("web-port", options.SetElsewhere.Keys);
        Assert.Equal(5, ConfigurationReader.Read(null, Variables(("PIPUB_HOPS", "5")), [], image).Hops);
    }

    [Fact]
    public void On_an_image_settings_of_a_newer_version_do_not_keep_the_box_from_starting()
    {
        var (image, card) = (Path.Combine(_directory, "image.conf"), Path.Combine(_directory, "card.conf"));
        File.WriteAllText(image, $"data-directory = {_directory}\ncard-settings = {card}\nweb-port = 80\n");
        File.WriteAllText(Path.Combine(_directory, "pipub.conf"), "of-next-year = yes\nhops = every\nhost-name = page\nhost-name = again\nno setting\n");
        File.WriteAllText(card, "of-tomorrow = yes\nssb-port = 8009\n");
        var options = ConfigurationReader.Read(null, Variables(), [], image);
        Assert.Equal((80, new PiPubOptions().Hops, "page", 8009), (options.WebPort, options.Hops, options.HostName, options.SsbPort));
        Assert.Equal(5, options.PassedOver.Count);
        foreach (var words in (string[])["of-next-year", "every", "host-name", "no setting", "of-tomorrow"])
        {
            Assert.Contains(options.PassedOver, one => one.ToString().Contains(words, StringComparison.Ordinal));
        }

        var refused = Assert.Throws<ConfigurationException>(() => ConfigurationReader.Read(null, Variables(("PIPUB_DATA_DIRECTORY", _directory)), []));
        Assert.Contains("of-next-year", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_owner_writes_on_the_card_is_checked_in_its_place()
    {
        var (image, card) = (Path.Combine(_directory, "image.conf"), Path.Combine(_directory, "card.conf"));
        File.WriteAllText(image, $"data-directory = {_directory}\nssb-port = 9000\n");
        File.WriteAllText(card, "hops = 1\n");
        Assert.Empty(ConfigurationReader.CheckCardSettings(card, image));
        File.WriteAllText(card, "hops = 11\nweb-port = 9000\nnonsense\n");
        Assert.Equal(3, ConfigurationReader.CheckCardSettings(card, image).Count);
        File.WriteAllText(card, "hops = 1\ndata-directory = /tmp\n");
        Assert.Contains("line 2) belongs to the image", Assert.Single(ConfigurationReader.CheckCardSettings(card, image)).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_anything_the_defaults_stand_as_the_table_says_them()
    {
        var options = new PiPubOptions();
        foreach (var key in ConfigurationTable.Keys)
        {
            if (key.Name is "network-key" or "public-host" or "connect" or "import-directory" or "hardware-file")
            {
                continue;
            }

            var read = ConfigurationReader.Read(null, Variables(("PIPUB_DATA_DIRECTORY", _directory)), [Given(key.Name, key.Default)]);
            Assert.Equal(Show(options, key.Name), Show(read, key.Name));
        }

        Assert.Equal(NetworkKey.Main, options.NetworkKey);
        Assert.Empty(options.PublicHosts);
        Assert.Empty(options.Connect);
    }

    [Fact]
    public void An_unknown_key_is_refused_and_the_nearest_suggested()
    {
        var path = Path.Combine(_directory, "pipub.conf");
        File.WriteAllText(path, "ssb-prot = 8009\n");
        var message = Assert.Throws<ConfigurationException>(() => ConfigurationReader.Read(path, Variables(), [])).Message;
        Assert.Contains($"\"ssb-prot\" (value \"8009\") in {path}, line 1", message, StringComparison.Ordinal);
        Assert.Contains("Did you mean ssb-port?", message, StringComparison.Ordinal);

        message = Assert.Throws<ConfigurationException>(() => ConfigurationReader.Read(null, Variables(("PIPUB_BLOBQUOTA", "1")), [])).Message;
        Assert.Contains("PIPUB_BLOBQUOTA (value \"1\")", message, StringComparison.Ordinal);
        Assert.Contains("Did you mean PIPUB_BLOB_QUOTA?", message, StringComparison.Ordinal);

        message = Assert.Throws<ConfigurationException>(() => ConfigurationReader.Read(null, Variables(("PIPUB_ZZZZZZZZZ", "1")), [])).Message;
        Assert.DoesNotContain("Did you mean", message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_problems_are_told_at_once()
    {
        var path = Path.Combine(_directory, "pipub.conf");
        File.WriteAllText(path, "hops = 11\nnonsense\nhops = 2\nfrobnicate = yes\n");
        var lines = Assert.Throws<ConfigurationException>(() => ConfigurationReader.Read(path, Variables(("PIPUB_DISCOVERY", "x")), [])).Message.Split('\n');
        Assert.Equal(5, lines.Length);
    }

    [Fact]
    public void Comments_and_blank_lines_are_passed_over_and_a_hash_inside_a_value_is_none()
    {
        var path = Path.Combine(_directory, "pipub.conf");
        File.WriteAllText(path, "\n  # hello\nhops = 1 # one\ndata-directory=/tmp/a#b\n");
        var options = ConfigurationReader.Read(path, Variables(), []);
        Assert.Equal((1, "/tmp/a#b"), (options.Hops, options.DataDirectory));
    }

    [Fact]
    public void A_list_may_be_given_in_several_lines()
    {
        var path = Path.Combine(_directory, "pipub.conf");
        File.WriteAllText(path, "public-host = a.example\npublic-host = b.example, c.example\n");
        Assert.Equal(["a.example", "b.example", "c.example"], ConfigurationReader.Read(path, Variables(), []).PublicHosts);
    }

    [Fact]
    public void A_file_that_was_named_must_exist_and_the_usual_one_need_not()
    {
        var message = Assert.Throws<ConfigurationException>(() => ConfigurationReader.Read(Path.Combine(_directory, "nowhere"), Variables(), [])).Message;
        Assert.Contains("does not exist", message, StringComparison.Ordinal);
        Assert.Equal(8008, ConfigurationReader.Read(null, Variables(("PIPUB_DATA_DIRECTORY", _directory)), []).SsbPort);
    }

    [Fact]
    public void Both_ports_cannot_be_the_same()
    {
        var message = Assert.Throws<ConfigurationException>(() => ConfigurationReader.Read(null, Variables(("PIPUB_WEB_PORT", "8008")), [])).Message;
        Assert.Contains("\"ssb-port\" and \"web-port\" are both 8008", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_readme_shows_the_table_as_it_is()
    {
        var readme = RepositoryFiles.Read("README.md");
        const string Begin = "<!-- config:begin -->\n";
        var from = readme.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var to = readme.IndexOf("<!-- config:end -->", StringComparison.Ordinal);
        Assert.True(to > from, "README.md has lost the markers around its table of settings.");
        Assert.True(
            readme[from..to] == ConfigurationTable.ToMarkdown(),
            "The table of settings in README.md is not what `pipub config --markdown` prints. Put its output between the markers.");
    }

    private static string Variable(string key) => ConfigurationTable.Find(key)!.EnvironmentName;

    private static KeyValuePair<string, IReadOnlyList<string>> Given(string key, string value) => new(key, [value]);

    private static Hashtable Variables(params (string Name, string Value)[] variables)
    {
        var table = new Hashtable { ["PATH"] = "/bin" };
        foreach (var (name, value) in variables)
        {
            table.Add(name, value);
        }

        return table;
    }

    private static string Show(PiPubOptions options, string key) => key switch
    {
        "data-directory" => options.DataDirectory,
        "network-key" => options.NetworkKey.ToString(),
        "message-hmac-key" => options.MessageHmacKey?.ToString() ?? "none",
        "ssb-port" => options.SsbPort.ToString(),
        "ssb-bind" => string.Join(',', options.SsbBind),
        "web-port" => options.WebPort.ToString(),
        "web-bind" => string.Join(',', options.WebBind),
        "https-port" => options.HttpsPort?.ToString() ?? "off",
        "hops" => options.Hops.ToString(),
        "blob-quota" => options.BlobQuota.ToString(),
        "blob-quota-per-author" => options.BlobQuotaPerAuthor.ToString(),
        "blob-max-size" => options.BlobMaxSize.ToString(),
        "min-free-space" => options.MinFreeSpace.ToString(),
        "max-connections" => options.MaxConnections.ToString(),
        "max-outgoing" => options.MaxOutgoing.ToString(),
        "max-connections-per-address" => options.MaxConnectionsPerAddress.ToString(),
        "connection-rate-per-address" => options.ConnectionRatePerAddress.ToString(),
        "public-host" => string.Join(',', options.PublicHosts),
        "connect" => string.Join(',', options.Connect.Select(address => address.Format())),
        "discovery" => options.Discovery.ToString(),
        "host-name" => options.HostName,
        "network-directory" => options.NetworkDirectory ?? "none",
        "map-port" => options.MapPort.ToString(),
        "map-web-port" => options.MapWebPort.ToString(),
        "claim-file" => options.ClaimFile ?? "none",
        "import-directory" => options.ImportDirectory ?? "none",
        "backup-directory" => options.BackupDirectory ?? "none",
        "backup-every" => options.BackupEvery.TotalDays.ToString("0"),
        "card-settings" => options.CardSettings ?? "none",
        "image-directory" => options.ImageDirectory ?? "none",
        "reports-directory" => options.ReportsDirectory ?? "none",
        "requests-directory" => options.RequestsDirectory ?? "none",
        "usb-directory" => options.UsbDirectory ?? "none",
        "hardware-file" => options.HardwareFile ?? "none",
        "update-url" => options.UpdateUrl?.ToString() ?? "none",
        "update-every" => options.UpdateEvery.TotalDays.ToString("0"),
        "update-automatic" => options.UpdateAutomatic.ToString(),
        "log-level" => options.LogLevel.ToString(),
        _ => throw new ArgumentOutOfRangeException(nameof(key), key, "This test does not know the key."),
    };
}
