using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;

namespace PiPub.Node.Backups;

/// <summary>Counts and hashes the records of a backup, each kind for itself, on writing and again on reading.</summary>
internal sealed class BackupTally : IDisposable
{
    private static readonly (BackupRecord Kind, string Name)[] Kinds =
    [
        (BackupRecord.About, "about"), (BackupRecord.Secret, "secret"), (BackupRecord.Settings, "settings"), (BackupRecord.Table, "tables"),
        (BackupRecord.Row, "rows"), (BackupRecord.Message, "messages"), (BackupRecord.Blob, "blobs"),
    ];

    private readonly long[] _count = new long[(int)BackupRecord.Manifest];
    private readonly long[] _bytes = new long[(int)BackupRecord.Manifest];
    private readonly IncrementalHash[] _hash = new IncrementalHash[(int)BackupRecord.Manifest];

    public BackupTally()
    {
        foreach (var (kind, _) in Kinds)
        {
            _hash[(int)kind] = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        }
    }

    /// <summary>A record begins.</summary>
    public void Begin(BackupRecord kind) => _count[(int)kind]++;

    /// <summary>Some bytes of its body.</summary>
    public void Add(BackupRecord kind, ReadOnlySpan<byte> body)
    {
        _bytes[(int)kind] += body.Length;
        _hash[(int)kind].AppendData(body);
    }

    public long Count(BackupRecord kind) => _count[(int)kind];

    /// <summary>The manifest; the same records give the same bytes.</summary>
    public ReadOnlyMemory<byte> Manifest()
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (kind, name) in Kinds)
            {
                json.WriteStartObject(name);
                json.WriteNumber("count"u8, _count[(int)kind]);
                json.WriteNumber("bytes"u8, _bytes[(int)kind]);
                json.WriteString("sha256"u8, Convert.ToHexStringLower(_hash[(int)kind].GetCurrentHash()));
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    public void Dispose()
    {
        foreach (var (kind, _) in Kinds)
        {
            _hash[(int)kind].Dispose();
        }
    }
}
