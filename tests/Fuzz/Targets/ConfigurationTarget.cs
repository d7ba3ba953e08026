using System.Collections;
using PiPub.Configuration;

namespace PiPub.Fuzz;

/// <summary>The configuration file, which any computer can edit: read, or refused with all that is wrong.</summary>
internal sealed class ConfigurationTarget : FuzzTarget
{
    private static readonly string File = Path.Combine(Path.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"fuzz-{System.Environment.ProcessId}.conf");
    private static readonly Hashtable NoVariables = [];

    public override string Name => "configuration";

    public override IEnumerable<byte[]> Seeds => Samples.Words(
        "# comment\nhops = 2\nblob-quota = 5GB\npublic-host = pub.example, 192.0.2.1\nssb-bind = 127.0.0.1, ::1\n",
        $"connect = net:192.0.2.1:8008~shs:{Convert.ToBase64String(Samples.Other.Id.AsSpan())}\nconnect = x\nbackup-every = 7d\nlog-level = debug # x\n",
        "network-key = 1KHLiKZvAvjbY1ziZEHMXawbCEIM6qwjCDm3VYRan/s=\r\nunknown = 1\nhops\n");

    public override IReadOnlyList<byte[]> Words => [.. ConfigurationTable.Keys.Select(static key => Samples.Utf8(key.Name + " = ")), .. Samples.Words("\n", "\r\n", " # ", "0", "-1", "99999999999999999999", "on", "off", "1e9GB", "::", "[", "%eth0", "5 m", "\0")];

    public override int MaxInput => 1024;

    public override long AllowedBytes(int length) => (2 << 20) + (2048L * length);

    public override void Run(ReadOnlySpan<byte> input)
    {
        System.IO.File.WriteAllBytes(File, input);
        try
        {
            _ = ConfigurationReader.Read(File, NoVariables, []);
        }
        catch (ConfigurationException e)
        {
            Require(e.Message.Length > 0, "a refusal has a reason");
        }

        _ = ConfigurationFile.Portable(File);
    }
}
