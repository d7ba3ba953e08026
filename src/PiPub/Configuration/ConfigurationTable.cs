using System.Text;
using PiPub.Node.Backups;

namespace PiPub.Configuration;

/// <summary>
/// Every key there is. This one table reads the file, the environment and the command line, writes <c>--help</c>, and
/// makes the table of the README (a test compares them).
/// </summary>
public static class ConfigurationTable
{
    /// <summary>What every environment variable of PiPub begins with.</summary>
    public const string EnvironmentPrefix = "PIPUB_";

    private const string Port = "0 to 65535; 0 takes any free port";
    private const string Bind = "`*` for every IPv4 and IPv6 address, `localhost`, or IP addresses, comma-separated";
    private const string Size = "bytes, or a number with kB, MB, GB, TB, KiB, MiB, GiB or TiB";

    /// <summary>The rows, in the order that a person reads them.</summary>
    public static IReadOnlyList<ConfigurationKey> Keys { get; } =
    [
        new("data-directory", "~/.pipub", "a directory; made when missing",
            "Where the box keeps its secret, messages, blobs and settings. One running node per directory.",
            (o, v) => o.DataDirectory = ConfigurationValue.Directory(v[0]), IsOfMachine: true),
        new("network-key", "the main network's", "32 bytes as 44 characters of base64",
            "The network (`caps.shs`). Peers with another one cannot connect.",
            (o, v) => o.NetworkKey = ConfigurationValue.NetworkKey(v[0])),
        new("message-hmac-key", "none", "32 bytes as 44 characters of base64, or `none`",
            "The key under which a test network signs its messages (`caps.sign`). The main network has none.",
            (o, v) => o.MessageHmacKey = ConfigurationValue.HmacKey(v[0])),
        new("ssb-port", "8008", Port,
            "TCP port for peers.",
            (o, v) => o.SsbPort = ConfigurationValue.Integer(v[0], 0, 65535), IsOfMachine: true),
        new("ssb-bind", "*", Bind,
            "Where to listen for peers.",
            (o, v) => o.SsbBind = ConfigurationValue.Addresses(v), IsList: true, IsOfMachine: true),
        new("web-port", "8080", Port,
            "TCP port for HTTP, and for peers that come by WebSocket.",
            (o, v) => o.WebPort = ConfigurationValue.Integer(v[0], 0, 65535), IsOfMachine: true),
        new("web-bind", "*", Bind,
            "Where to listen for HTTP, HTTPS and WebSocket.",
            (o, v) => o.WebBind = ConfigurationValue.Addresses(v), IsList: true, IsOfMachine: true),
        new("https-port", "8443", "`off`, or " + Port,
            "TCP port for HTTPS, with a certificate of the box's own. Where nothing is set and 8443 is taken, the box goes without.",
            (o, v) => (o.HttpsPort, o.IsHttpsPortChosen) = (v[0] == "off" ? null : ConfigurationValue.Integer(v[0], 0, 65535), true), IsOfMachine: true),
        new("hops", "2", "0 to 10",
            "How far along follows feeds are kept: 0 the box's own, 1 its members, 2 the people they follow, and so on.",
            (o, v) => o.Hops = ConfigurationValue.Integer(v[0], 0, 10), IsOnPages: true),
        new("blob-quota", "5GB", Size,
            "Room for blobs in all. Beyond it the least useful go; those of the owner and pinned ones never do.",
            (o, v) => o.BlobQuota = ConfigurationValue.Size(v[0]), IsOnPages: true),
        new("blob-quota-per-author", "500MB", Size,
            "Room for blobs on account of one author.",
            (o, v) => o.BlobQuotaPerAuthor = ConfigurationValue.Size(v[0]), IsOnPages: true),
        new("blob-max-size", "5MiB", Size,
            "Blobs of this size and larger are neither fetched nor taken in. Other implementations stop at 5 MiB.",
            (o, v) => o.BlobMaxSize = ConfigurationValue.Size(v[0])),
        new("min-free-space", "200MB", Size,
            "Free disk space that must be there to start, and that blobs leave alone afterwards.",
            (o, v) => o.MinFreeSpace = ConfigurationValue.Size(v[0]), IsOnPages: true, IsOfMachine: true),
        new("max-connections", "300", "1 to 10000",
            "Peers connected at one time.",
            (o, v) => o.MaxConnections = ConfigurationValue.Integer(v[0], 1, 10_000), IsOnPages: true),
        new("max-outgoing", "10", "0 to 1000",
            "Peers that the box dials by itself at one time.",
            (o, v) => o.MaxOutgoing = ConfigurationValue.Integer(v[0], 0, 1_000)),
        new("max-connections-per-address", "20", "1 to 10000",
            "Peers connected at one time from one IP address. Loopback is not counted.",
            (o, v) => o.MaxConnectionsPerAddress = ConfigurationValue.Integer(v[0], 1, 10_000)),
        new("connection-rate-per-address", "60", "1 to 100000",
            "New connections a minute from one IP address. Loopback is not counted.",
            (o, v) => o.ConnectionRatePerAddress = ConfigurationValue.Integer(v[0], 1, 100_000)),
        new("public-host", "this machine's own addresses", "host names or IP addresses, comma-separated or repeated",
            "Under which names the box is reached from outside: they are written into invites, best first.",
            (o, v) => o.PublicHosts = ConfigurationValue.Hosts(v), IsList: true, IsOnPages: true),
        new("connect", "none", "`net:host:port~shs:(key)` or `host:port:@(key).ed25519`, comma-separated or repeated",
            "Peers to stay connected with.",
            (o, v) => o.Connect = ConfigurationValue.PeerAddresses(v), IsList: true),
        new("discovery", "on", "`on` or `off`",
            "Whether to be found by, and to find, other peers on the local network. `host-name` and the page stay there for the owner.",
            (o, v) => o.Discovery = ConfigurationValue.Switch(v[0]), IsOnPages: true),
        new("host-name", "pipub", "letters, digits and hyphens, at most 63",
            "The box's name on the local network, before `.local`. Where another machine has it already, a number is added.",
            (o, v) => o.HostName = ConfigurationValue.HostLabel(v[0]), IsOnPages: true),
        new("network-directory", "none", "a directory of systemd-networkd, such as /etc/systemd/network, or `none`",
            "Where the settings page may write a fixed address of this machine. Without it the machine's own system gives the address, and the page only shows it.",
            (o, v) => o.NetworkDirectory = v[0] == "none" ? null : ConfigurationValue.Directory(v[0]), IsOfMachine: true),
        new("map-port", "on", "`on` or `off`",
            "Whether to ask the home router to pass connections from outside on to `ssb-port`.",
            (o, v) => o.MapPort = ConfigurationValue.Switch(v[0]), IsOnPages: true),
        new("map-web-port", "off", "`on` or `off`",
            "Whether to ask the same for `web-port`, for clients that can only come by WebSocket. The page is then reachable from outside, too.",
            (o, v) => o.MapWebPort = ConfigurationValue.Switch(v[0])),
        new("claim-file", "none", "a file, or `none`",
            "A text file whose content is the code that claims the box (at least 8 letters or digits). While it is there, no code is printed.",
            (o, v) => o.ClaimFile = v[0] == "none" ? null : ConfigurationValue.FilePath(v[0]), IsOfMachine: true),
        new("import-directory", "`import` in the data directory", "a directory",
            "Where the page looks for what another SSB program kept, such as a stick that was put in.",
            (o, v) => o.ImportDirectory = ConfigurationValue.Directory(v[0]), IsOfMachine: true),
        new("backup-directory", "none", "a directory that is there, `usb` for whichever USB stick is in, or `none`",
            "Where scheduled backups go. They need the passphrase that the page or `pipub backup passphrase` was given once.",
            (o, v) => o.BackupDirectory = v[0] switch { "none" => null, BackupSchedule.OnStick => v[0], _ => ConfigurationValue.Directory(v[0]) }, IsOnPages: true, IsOfMachine: true),
        new("backup-every", "7", "1 to 365",
            "After how many days another scheduled backup is made. The newest five are kept.",
            (o, v) => o.BackupEvery = TimeSpan.FromDays(ConfigurationValue.Integer(v[0], 1, 365))),
        new("card-settings", "none", "a file, or `none`",
            "Further settings, which win over those in the data directory: on a PiPub image those that the owner wrote on the card. The pages do not change them.",
            (o, v) => o.CardSettings = v[0] == "none" ? null : ConfigurationValue.FilePath(v[0]), IsOfMachine: true),
        new("image-directory", "none", "a directory, or `none`",
            "Where a PiPub image says what it is (`image-version`, `board`) and what is wired to it (`hardware.conf`). Without it the box is a program that somebody installed.",
            (o, v) => o.ImageDirectory = v[0] == "none" ? null : ConfigurationValue.Directory(v[0]), IsOfMachine: true),
        new("reports-directory", "none", "a directory, or `none`",
            "Where the image reports what was wrong with the files on the card (`provisioning.json`), and why it went back to the version before (`health.json`).",
            (o, v) => o.ReportsDirectory = v[0] == "none" ? null : ConfigurationValue.Directory(v[0]), IsOfMachine: true),
        new("requests-directory", "none", "a directory, or `none`",
            "Where the box leaves word for the image when it shall reboot, or erase itself.",
            (o, v) => o.RequestsDirectory = v[0] == "none" ? null : ConfigurationValue.Directory(v[0]), IsOfMachine: true),
        new("usb-directory", "none", "a directory, or `none`",
            "Where USB sticks appear, each as a directory: updates (`*.raucb`) are taken from them, backups go to their folder `pipub-backup`.",
            (o, v) => o.UsbDirectory = v[0] == "none" ? null : ConfigurationValue.Directory(v[0]), IsOfMachine: true),
        new("hardware-file", "`hardware.conf` of the image", "a file, or `none`",
            "Which lights, button and display are wired to the machine.",
            (o, v) => (o.HardwareFile, o.IsHardwareFileChosen) = (v[0] == "none" ? null : ConfigurationValue.FilePath(v[0]), true), IsOfMachine: true),
        new("update-url", "none", "an `https://` or `http://` address, or `none`",
            "Where an image learns of new versions: a small JSON file, see provisioning/README.md.",
            (o, v) => o.UpdateUrl = v[0] == "none" ? null : ConfigurationValue.WebAddress(v[0]), IsOnPages: true),
        new("update-every", "1", "1 to 30",
            "After how many days the image looks for a new version again.",
            (o, v) => o.UpdateEvery = TimeSpan.FromDays(ConfigurationValue.Integer(v[0], 1, 30)), IsOnPages: true),
        new("update-automatic", "on", "`on` or `off`",
            "Whether the image installs new versions by itself, and starts them at night. Else the page offers them.",
            (o, v) => o.UpdateAutomatic = ConfigurationValue.Switch(v[0]), IsOnPages: true),
        new("log-level", "info", "`trace`, `debug`, `info`, `warn`, `error` or `none`",
            "The least serious lines that are written to the log (standard error).",
            (o, v) => o.LogLevel = ConfigurationValue.LogLevel(v[0])),
    ];

    /// <summary>Keys that hold an image together: what the owner writes on the card cannot change them.</summary>
    public static IReadOnlyList<string> OfImage { get; } =
        ["data-directory", "claim-file", "network-directory", "card-settings", "image-directory", "reports-directory", "requests-directory", "usb-directory"];

    /// <summary>Finds a row by its key.</summary>
    public static ConfigurationKey? Find(string name)
    {
        foreach (var key in Keys)
        {
            if (key.Name == name)
            {
                return key;
            }
        }

        return null;
    }

    /// <summary>The key whose spelling is nearest to <paramref name="name"/>, or null when none is near.</summary>
    public static ConfigurationKey? Nearest(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        ConfigurationKey? nearest = null;
        var least = Math.Max(2, name.Length / 3) + 1;
        foreach (var key in Keys)
        {
            var distance = EditDistance(name, key.Name);
            if (distance < least)
            {
                (nearest, least) = (key, distance);
            }
        }

        return nearest;
    }

    /// <summary>The table as the README shows it, in Markdown, with a line feed at its end.</summary>
    public static string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append("| key | default | allowed | what it does |\n| --- | --- | --- | --- |\n");
        foreach (var key in Keys)
        {
            text.Append($"| `{key.Name}` | {key.Default.Replace("*", "`*`")} | {key.Allowed} | {key.Description} |\n");
        }

        return text.ToString();
    }

    private static int EditDistance(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitute, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
