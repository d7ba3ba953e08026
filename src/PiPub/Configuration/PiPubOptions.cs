using System.Net;
using Microsoft.Extensions.Logging;
using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Configuration;

/// <summary>
/// Everything that can be set about a box, with the defaults built in. What each key means, and what is allowed, is said
/// once, in <see cref="ConfigurationTable"/>.
/// </summary>
public sealed class PiPubOptions
{
    /// <summary>The configuration file, which may be missing.</summary>
    public string ConfigurationFile { get; set; } = "";

    /// <summary>Where each key was set that was set in a stronger place than the file: a page that changes the file would change nothing.</summary>
    public IReadOnlyDictionary<string, Sentence> SetElsewhere { get; set; } = new Dictionary<string, Sentence>();

    /// <summary>What was wrong in the files of a box with an image, and is as if it were not there: a sentence each.</summary>
    public IReadOnlyList<Sentence> PassedOver { get; set; } = [];

    /// <summary>Where the box keeps its key, its messages and its blobs.</summary>
    public string DataDirectory { get; set; } = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".pipub");

    /// <summary>The network that the box belongs to.</summary>
    public NetworkKey NetworkKey { get; set; } = NetworkKey.Main;

    /// <summary>The key that messages of this network are signed under, or null where there is none (the main network).</summary>
    public HmacKey? MessageHmacKey { get; set; }

    /// <summary>TCP port for peers; 0 takes any free one.</summary>
    public int SsbPort { get; set; } = 8008;

    /// <summary>Addresses to listen on for peers; empty stands for all, IPv4 and IPv6.</summary>
    public IReadOnlyList<IPAddress> SsbBind { get; set; } = [];

    /// <summary>TCP port for HTTP and WebSocket; 0 takes any free one.</summary>
    public int WebPort { get; set; } = 8080;

    /// <summary>Addresses to listen on for HTTP, HTTPS and WebSocket; empty stands for all, IPv4 and IPv6.</summary>
    public IReadOnlyList<IPAddress> WebBind { get; set; } = [];

    /// <summary>TCP port for HTTPS; 0 takes any free one, null is none.</summary>
    public int? HttpsPort { get; set; } = 8443;

    /// <summary>Whether somebody chose that port, so that it must be had; else it is gone without where it is taken.</summary>
    public bool IsHttpsPortChosen { get; set; }

    /// <summary>How far along follows feeds are replicated: 0 the box only, 1 its members, 2 the people they follow.</summary>
    public int Hops { get; set; } = 2;

    /// <summary>Bytes of blobs kept in all.</summary>
    public long BlobQuota { get; set; } = 5_000_000_000;

    /// <summary>Bytes of blobs kept on account of one author.</summary>
    public long BlobQuotaPerAuthor { get; set; } = 500_000_000;

    /// <summary>The largest blob fetched or served, in bytes.</summary>
    public long BlobMaxSize { get; set; } = 5 * 1024 * 1024;

    /// <summary>Bytes of the disk that are left alone.</summary>
    public long MinFreeSpace { get; set; } = 200_000_000;

    /// <summary>Connections at one time, both directions.</summary>
    public int MaxConnections { get; set; } = 300;

    /// <summary>Connections at one time that the box dials itself.</summary>
    public int MaxOutgoing { get; set; } = 10;

    /// <summary>Connections at one time from one IP address; loopback is not counted.</summary>
    public int MaxConnectionsPerAddress { get; set; } = 20;

    /// <summary>New connections a minute from one IP address; loopback is not counted.</summary>
    public int ConnectionRatePerAddress { get; set; } = 60;

    /// <summary>Host names or addresses under which the box can be reached, written into invites, best first.</summary>
    public IReadOnlyList<string> PublicHosts { get; set; } = [];

    /// <summary>Peers to stay connected with.</summary>
    public IReadOnlyList<MultiserverAddress> Connect { get; set; } = [];

    /// <summary>Whether to announce the box on the local network and look for others there.</summary>
    public bool Discovery { get; set; } = true;

    /// <summary>The box's name on the local network, without <c>.local</c>.</summary>
    public string HostName { get; set; } = "pipub";

    /// <summary>Where systemd-networkd reads its files, for a fixed address of the machine; null where PiPub leaves its address alone.</summary>
    public string? NetworkDirectory { get; set; }

    /// <summary>Whether the home router is asked to pass connections on to the port for peers.</summary>
    public bool MapPort { get; set; } = true;

    /// <summary>Whether the home router is asked to pass connections on to the web port.</summary>
    public bool MapWebPort { get; set; }

    /// <summary>A file with the code that claims the box; null when there is none to look for.</summary>
    public string? ClaimFile { get; set; }

    /// <summary>Where the page looks for what can be imported; null for <c>import</c> in the data directory.</summary>
    public string? ImportDirectory { get; set; }

    /// <summary>Where scheduled backups go; null where none are made.</summary>
    public string? BackupDirectory { get; set; }

    /// <summary>How often a scheduled backup is made.</summary>
    public TimeSpan BackupEvery { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Settings that the owner wrote on the card of an image; null where there is no such file.</summary>
    public string? CardSettings { get; set; }

    /// <summary>Where the image says what it is; null where the box is an installed program.</summary>
    public string? ImageDirectory { get; set; }

    /// <summary>Where the image reports what it found; null for nowhere.</summary>
    public string? ReportsDirectory { get; set; }

    /// <summary>Where the box asks the image for something; null for nowhere.</summary>
    public string? RequestsDirectory { get; set; }

    /// <summary>Where USB sticks appear; null for nowhere.</summary>
    public string? UsbDirectory { get; set; }

    /// <summary>What is wired to the machine, where somebody chose the file; null for nothing.</summary>
    public string? HardwareFile { get; set; }

    /// <summary>Whether somebody chose it; else it is the image's.</summary>
    public bool IsHardwareFileChosen { get; set; }

    /// <summary>Where new versions are told of; null where nobody is asked.</summary>
    public Uri? UpdateUrl { get; set; }

    /// <summary>How often it is asked.</summary>
    public TimeSpan UpdateEvery { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Whether new versions are installed without asking the owner.</summary>
    public bool UpdateAutomatic { get; set; } = true;

    /// <summary>The least serious log lines that are written.</summary>
    public LogLevel LogLevel { get; set; } = LogLevel.Information;
}
