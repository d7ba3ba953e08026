using System.Buffers.Binary;
using System.Text;
using PiPub.Scuttlebutt.LegacyLogs;

namespace PiPub.Scuttlebutt.Tests.LegacyLogs;

/// <summary>Writes logs as the JavaScript stacks do (that they do so is shown by the real ones, in tests/Interop).</summary>
internal static class WrittenLog
{
    public static byte[] Flume(int width, params IEnumerable<string?> records)
    {
        using var log = new MemoryStream();
        Span<byte> number = stackalloc byte[8];
        foreach (var record in records)
        {
            // Null stands for a deleted one.
            var content = record is null ? new byte[100] : Encoding.UTF8.GetBytes(record);
            BinaryPrimitives.WriteUInt32BigEndian(number, (uint)content.Length);
            log.Write(number[..4]);
            log.Write(content);
            log.Write(number[..4]);
            BinaryPrimitives.WriteUInt64BigEndian(number, (ulong)(log.Length + width));
            log.Write(number[(8 - width)..]);
        }

        return log.ToArray();
    }

    public static byte[] AppendOnly(params IEnumerable<byte[]> records)
    {
        using var log = new MemoryStream();
        foreach (var record in records)
        {
            var left = AppendOnlyLogReader.BlockBytes - (int)(log.Length % AppendOnlyLogReader.BlockBytes);
            if (2 + record.Length + 2 > left)
            {
                log.Write(new byte[left]);
            }

            log.WriteByte((byte)record.Length);
            log.WriteByte((byte)(record.Length >> 8));
            log.Write(record);
        }

        log.Write(new byte[(AppendOnlyLogReader.BlockBytes - (int)(log.Length % AppendOnlyLogReader.BlockBytes)) % AppendOnlyLogReader.BlockBytes]);
        return log.ToArray();
    }

    public static string Envelope(string value) => $$"""{"key":"%x","value":{{value}},"timestamp":1}""";

    /// <summary>The same envelope in BIPF, its value an object with one text.</summary>
    public static byte[] BipfEnvelope(string text) => BipfObject(
        (Bipf(0, "key"u8), Bipf(0, "%x"u8)),
        (Bipf(0, "value"u8), BipfObject((Bipf(0, "previous"u8), Bipf(0, Encoding.UTF8.GetBytes(text))))),
        (Bipf(0, "timestamp"u8), Bipf(3, BitConverter.GetBytes(1e12))));

    public static byte[] BipfObject(params IEnumerable<(byte[] Name, byte[] Value)> members) => Bipf(5, [.. members.SelectMany(static m => m.Name.Concat(m.Value))]);

    public static byte[] Bipf(int type, ReadOnlySpan<byte> content)
    {
        var bytes = new List<byte>();
        var tag = ((uint)content.Length << 3) | (uint)type;
        for (; tag >= 0x80; tag >>= 7)
        {
            bytes.Add((byte)(tag | 0x80));
        }

        bytes.Add((byte)tag);
        bytes.AddRange(content);
        return [.. bytes];
    }

    public static List<string> ReadAll(LegacyLogReader reader)
    {
        var values = new List<string>();
        while (reader.TryRead(out var record))
        {
            values.Add(Encoding.UTF8.GetString(record.Value.Span));
        }

        return values;
    }
}
