using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using PiPub.Composition;
using PiPub.Configuration;
using PiPub.Node.Intake;
using PiPub.Node.Reachability;
using PiPub.Scuttlebutt.Identities;
using PiPub.Web.Logs;
using PiPub.Web.Settings;

namespace PiPub.Support;

/// <summary>
/// What somebody who helps needs to know of the box, as a .zip file: how it is doing, its settings, its log, and no secret, name
/// or message. Whatever looks like a key, an id or a code is replaced in all parts (<see cref="Redaction"/>).
/// </summary>
internal sealed class SupportBundle(PiPubOptions options, BoxStorage storage, BoxNode node, BoxNetworks networks, RecentLog log, TimeProvider time) : ISupportBundle
{
    private const int MostLines = 5000;

    /// <summary>Their values are secrets, or lead to somebody.</summary>
    private static readonly string[] Secret = ["network-key", "message-hmac-key", "connect"];

    public void Write(Stream zip)
    {
        var redaction = new Redaction();
        using var archive = new ZipArchive(zip, ZipArchiveMode.Create, leaveOpen: true);
        Add("README.txt", ReadMe());
        Add("status.json", Json(Status));
        Add("reach.json", Json(json => ReachMethods.Write(json, (networks.Reach(), node.HostName(), storage.Identity.Id))));
        Add("machine.json", Json(Machine));
        Add("configuration.txt", Configuration());
        Add("log.txt", Log());

        void Add(string name, string text)
        {
            using var writer = new StreamWriter(archive.CreateEntry(name, CompressionLevel.Fastest).Open(), new UTF8Encoding(false));
            writer.Write(redaction.Apply(text));
        }
    }

    private string ReadMe() => $"""
        Support bundle of a PiPub box, version {Box.Version}, made on {time.GetUtcNow():yyyy-MM-dd HH:mm} UTC.

        status.json         how the box is doing
        reach.json          whether it can be reached from outside, and how that was tried
        machine.json        the machine, the disk, the memory, counts of feeds and peers
        configuration.txt   which settings are not the defaults; keys and peers' addresses are taken out
        log.txt             the last lines of the log, the oldest first

        Not in here: keys, passwords, tokens, invite codes, names of people, messages, pictures.
        Whatever looks like an id or a key is replaced by id- and eight signs. The same id has the same signs everywhere in this
        bundle, and others in another bundle, so that nobody can tell from it whose feed is meant.
        Still in here: addresses of machines on the internet and at home, and the box's host names. Take them out if you mind.
        """;

    private void Status(Utf8JsonWriter json) => new BoxStatus(options, storage, node, time, Box.Version).Write(json);

    private void Machine(Utf8JsonWriter json)
    {
        var memory = GC.GetGCMemoryInfo();
        json.WriteString("system"u8, RuntimeInformation.OSDescription);
        json.WriteString("architecture"u8, RuntimeInformation.ProcessArchitecture.ToString());
        json.WriteString("runtime"u8, RuntimeInformation.FrameworkDescription);
        json.WriteString("pipub"u8, Box.Version);
        json.WriteNumber("processors"u8, Environment.ProcessorCount);
        json.WriteNumber("memoryBytes"u8, memory.TotalAvailableMemoryBytes);
        json.WriteNumber("processBytes"u8, Environment.WorkingSet);
        json.WriteNumber("heapBytes"u8, memory.HeapSizeBytes);
        json.WriteNumber("diskBytes"u8, storage.Directory.TotalBytes);
        json.WriteNumber("diskFreeBytes"u8, storage.Directory.FreeBytes);
        json.WriteStartObject("feeds"u8);
        foreach (var state in node.Feeds.All().CountBy(static feed => feed.State))
        {
            json.WriteNumber(Name(state.Key), state.Value);
        }

        json.WriteEndObject();
        json.WriteStartObject("peers"u8);
        foreach (var state in node.Peers.Snapshot().CountBy(static peer => peer.State))
        {
            json.WriteNumber(state.Key.ToString(), state.Value);
        }

        json.WriteEndObject();
        json.WriteStartArray("networks"u8);
        foreach (var network in networks.Present)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, network.Name);
            json.WriteNumber("addresses"u8, network.Addresses.Count);
            json.WriteNumber("routers"u8, network.Gateways.Count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string Name(FeedState state) => state switch
    {
        FeedState.UpToDate => "upToDate",
        FeedState.Behind => "behind",
        FeedState.Invalid => "invalid",
        FeedState.Forked => "forked",
        _ => "blocked",
    };

    /// <summary>Only lines that set something: a comment may hold anything.</summary>
    private string Configuration()
    {
        var text = new StringBuilder();
        foreach (var (key, where) in options.SetElsewhere.OrderBy(static one => one.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"{key} is set by {where}\n");
        }

        foreach (var line in File.Exists(options.ConfigurationFile) ? File.ReadLines(options.ConfigurationFile) : [])
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? "" : line[..equals].Trim();
            if (ConfigurationTable.Find(key) is null)
            {
                continue;
            }

            var comment = line.IndexOf(" #", equals, StringComparison.Ordinal);
            var value = comment < 0 ? line[(equals + 1)..] : line[(equals + 1)..comment];
            text.Append(CultureInfo.InvariantCulture, $"{key} = {(Secret.Contains(key) ? "(taken out)" : value.Trim())}\n");
        }

        if (options.NetworkKey != NetworkKey.Main)
        {
            text.Append("The box is not in the main network.\n");
        }

        return text.ToString();
    }

    private string Log()
    {
        var text = new StringBuilder();
        foreach (var line in log.Read(LogLevel.Trace, search: null, MostLines).Reverse())
        {
            text.Append(CultureInfo.InvariantCulture, $"{line.At:yyyy-MM-dd HH:mm:ss} {line.Level} {line.Source}: {line.Text}\n");
        }

        return text.ToString();
    }

    private static string Json(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        // Without escapes, by which a key would no longer look like one.
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
