using System.Buffers;
using System.Text.Json;

namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>
/// The manifest: what this side offers, as a nested object of method to type, such as
/// <c>{"whoami":"sync","blobs":{"get":"source"}}</c>. Tools with no list of their own ask for it first.
/// </summary>
/// <remarks>Source: secret-stack 8.1.0 core.js; muxrpc 8.0.0 remote-api.js.</remarks>
public static class RpcManifest
{
    /// <summary>Writes the manifest as UTF-8 JSON.</summary>
    /// <exception cref="InvalidOperationException">One name is both a method and the beginning of others.</exception>
    public static byte[] Write(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        var root = new Branch();
        foreach (var method in methods.All)
        {
            root.Add(method.Name.Split('.'), method.IsSync ? "sync" : RequestBody.NameOf(method.Type));
        }

        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            root.Write(json);
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>A group of methods, in the order in which they were offered.</summary>
    private sealed class Branch
    {
        private readonly List<(string Name, string? Type, Branch? Group)> _entries = [];

        public void Add(ReadOnlySpan<string> path, string type)
        {
            var name = path[0];
            var index = _entries.FindIndex(entry => entry.Name == name);
            if (path.Length == 1)
            {
                _entries.Add(index < 0 ? (name, type, null) : throw Clash(name));
                return;
            }

            if (index < 0)
            {
                index = _entries.Count;
                _entries.Add((name, null, new Branch()));
            }

            (_entries[index].Group ?? throw Clash(name)).Add(path[1..], type);
        }

        public void Write(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            foreach (var (name, type, group) in _entries)
            {
                json.WritePropertyName(name);
                if (group is null)
                {
                    json.WriteStringValue(type);
                }
                else
                {
                    group.Write(json);
                }
            }

            json.WriteEndObject();
        }

        private static InvalidOperationException Clash(string name) =>
            new($"\"{name}\" is offered both as a method and as a group of methods.");
    }
}
