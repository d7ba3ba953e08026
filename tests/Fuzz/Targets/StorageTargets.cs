using System.Buffers.Binary;
using PiPub.Node.Backups;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.LegacyLogs;
using PiPub.Storage.Log;

namespace PiPub.Fuzz;

/// <summary>
/// The last file of a message log, as a crash or a bad card leaves it. The first byte chooses whether checksums are put right, so that
/// what is behind them is tried. The log opens, or says that it is damaged; once open it takes messages and still has them after the next start.
/// </summary>
internal sealed class LogRecoveryTarget : FuzzTarget
{
    private static readonly string Directory = Path.Combine(Path.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), "fuzz-log-" + Environment.ProcessId);
    private static readonly string Segment = Path.Combine(Directory, new string('0', 16) + ".log");

    public override string Name => "log-recovery";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var log = new List<byte>();
            var record = new byte[4096];
            foreach (var (message, i) in Samples.Feed.Select(static (m, i) => (m, i)))
            {
                var length = RecordFormat.Write(message, 1_500_000_000_000, startsBatch: i % 3 == 0, record);
                log.AddRange(record.AsSpan(0, length));
                if (i % 3 == 2)
                {
                    yield return [0, .. log];
                    yield return [1, .. log];
                }
            }
        }
    }

    public override int MaxInput => 6000;

    // Buffers of a mebibyte are rented; the first execution makes them.
    public override long AllowedBytes(int length) => (8 << 20) + (256L * length);

    public override void Run(ReadOnlySpan<byte> input)
    {
        System.IO.Directory.CreateDirectory(Directory);
        var bytes = input.IsEmpty ? [] : input[1..].ToArray();
        if (!input.IsEmpty && (input[0] & 1) == 1)
        {
            PutChecksumsRight(bytes);
        }

        File.WriteAllBytes(Segment, bytes);
        try
        {
            var (before, end) = ReadAll(append: true);
            Require(end <= bytes.Length, "nothing is added by opening");
            var (after, _) = ReadAll(append: false);
            Require(after == before + 1, "what was taken after a recovery is there at the next start");
        }
        catch (LogDamagedException)
        {
            Require(File.ReadAllBytes(Segment).AsSpan().StartsWith(bytes.AsSpan(0, (int)Math.Min(bytes.Length, new FileInfo(Segment).Length))), "damage is never cut");
        }
    }

    private static (int Records, long End) ReadAll(bool append)
    {
        var log = SegmentedMessageLog.Open(Directory);
        try
        {
            var (count, end) = (0, log.End);
            foreach (var record in log.Scan(0))
            {
                _ = record.Message.Sequence;
                count++;
            }

            if (append)
            {
                _ = log.AppendAsync([Samples.Feed[0]], 1, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            }

            return (count, end);
        }
        finally
        {
            log.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static void PutChecksumsRight(Span<byte> log)
    {
        while (log.Length >= RecordFormat.FrameBytes && RecordFormat.Length(log) is > 0 and var length && length <= log.Length)
        {
            var record = log[..length];
            BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Crc32C.Compute(record[RecordFormat.FrameBytes..], Crc32C.Compute(record[..4])));
            log = log[length..];
        }
    }
}

/// <summary>Backup files. The first byte chooses: the file as it lies; or the records inside, sealed rightly.</summary>
internal sealed class BackupTarget : FuzzTarget
{
    private const string Passphrase = "correct horse battery";
    private static readonly PassphraseCost Cheap = new(1, 8);
    private static readonly BackupKey Key = BackupKey.Derive(Passphrase, new byte[Sodium.SaltBytes], Cheap);
    private readonly byte[] _state = new byte[Sodium.SecretStreamStateBytes];

    public override string Name => "backup";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var records = Records().ToArray();
            yield return [1, .. records];
            yield return [0, .. Seal(records)];
            yield return [0, .. Seal(records).AsSpan(0, 74)];
        }
    }

    public override IReadOnlyList<byte[]> Words => [[1], [2], [3], [4], [5], [6], [7], [8], .. Samples.Words("\"box\":", "[\"invites\",\"a\"]", "{\"b\":\"AA==\"}", "\\ud800", "null", "1e999")];

    public override long AllowedBytes(int length) => (4 << 20) + (256L * length);

    public override void Run(ReadOnlySpan<byte> input)
    {
        var file = input.IsEmpty ? [] : (input[0] & 1) == 1 ? Seal(input[1..]) : input[1..].ToArray();
        if (file.Length >= 18)
        {
            // What the file says that its key costs is bounded, but not so that it could be tried a million times.
            file[13] = Math.Min(file[13], (byte)1);
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(14), Math.Min(BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(14)), 8));
        }

        try
        {
            _ = BackupReader.CheckAsync(new MemoryStream(file), Passphrase, CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (BackupException)
        {
            // The one answer to what is no backup.
        }
    }

    private static List<byte> Records()
    {
        var about = new BackupAbout(Samples.Self.Id, "box", Samples.Other.Id, 3, DateTimeOffset.UnixEpoch, "1").Encode();
        (BackupRecord Kind, byte[] Body)[] records =
        [
            (BackupRecord.About, about.ToArray()),
            (BackupRecord.Secret, Samples.Utf8(SecretText.Format(Samples.Self))),
            (BackupRecord.Settings, Samples.Utf8("hops = 2\n")),
            (BackupRecord.Table, Samples.Utf8("""["invites","seed","uses","note"]""")),
            (BackupRecord.Row, Samples.Utf8("""[{"b":"AAAA"},3,null]""")),
            (BackupRecord.Message, Samples.Feed[0].Value.ToArray()),
        ];
        using var tally = new BackupTally();
        var all = new List<byte>();
        foreach (var (kind, body) in records)
        {
            all.AddRange(RecordOf(kind, body));
            tally.Begin(kind);
            tally.Add(kind, body);
        }

        all.AddRange(RecordOf(BackupRecord.Manifest, tally.Manifest().ToArray()));
        return all;
    }

    private static byte[] RecordOf(BackupRecord kind, byte[] body)
    {
        var head = new byte[5];
        head[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(1), body.Length);
        return [.. head, .. body];
    }

    private byte[] Seal(ReadOnlySpan<byte> records)
    {
        var file = new byte[BackupHeader.Length + records.Length + Sodium.SecretStreamExtraBytes];
        BackupHeader.Write(Key, file.AsSpan(0, BackupHeader.Length), _state);
        Sodium.SealNext(_state, records, isLast: true, file.AsSpan(BackupHeader.Length));
        return file;
    }
}

/// <summary>Logs of other programs, which people bring.</summary>
internal sealed class LegacyLogTarget(LegacyLogKind kind) : FuzzTarget
{
    public override string Name => kind == LegacyLogKind.Flume ? "legacy-flume" : "legacy-append-only";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            using var log = new MemoryStream();
            Span<byte> number = stackalloc byte[8];
            foreach (var message in Samples.Feed)
            {
                var json = Samples.Utf8($"{{\"key\":\"{message.Id}\",\"value\":{System.Text.Encoding.UTF8.GetString(message.Value.Span)},\"timestamp\":1}}");
                if (kind == LegacyLogKind.Flume)
                {
                    BinaryPrimitives.WriteUInt32BigEndian(number, (uint)json.Length);
                    log.Write(number[..4]);
                    log.Write(json);
                    log.Write(number[..4]);
                    BinaryPrimitives.WriteUInt64BigEndian(number, (ulong)(log.Length + 6));
                    log.Write(number[2..]);
                }
                else
                {
                    var text = Bipf(0, "\"x\""u8);
                    var record = Bipf(5, [.. Bipf(0, "key"u8), .. Bipf(0, "%x"u8), .. Bipf(0, "value"u8), .. Bipf(5, [.. Bipf(0, "previous"u8), .. text, .. Bipf(0, "sequence"u8), .. Bipf(2, [1, 0, 0, 0]), .. Bipf(0, "content"u8), .. Bipf(4, [.. Bipf(3, BitConverter.GetBytes(1.5)), .. Bipf(6, [1]), .. Bipf(6, [])])])]);
                    log.WriteByte((byte)record.Length);
                    log.WriteByte((byte)(record.Length >> 8));
                    log.Write(record);
                }
            }

            return [log.ToArray(), log.ToArray().AsSpan(0, 300).ToArray()];
        }
    }

    public override IReadOnlyList<byte[]> Words => [[0, 0], [0xff, 0xff, 0xff, 0xff], [0x80, 0x80, 0x80, 0x80, 0x08], [5], [4], .. Samples.Words("value", "key", "previous", "{\"value\":{")];

    public override long AllowedBytes(int length) => (2 << 20) + (512L * length);

    public override void Run(ReadOnlySpan<byte> input)
    {
        using var stream = new MemoryStream(input.ToArray(), writable: false);
        _ = LegacyLogReader.TryRecognise(input[..Math.Min(input.Length, LegacyLogReader.HeadBytes)], "log", out _);
        var reader = LegacyLogReader.Create(kind, stream);
        var (count, last) = (0, -1L);
        while (reader.TryRead(out var record))
        {
            Require(record.Offset > last && record.Offset < input.Length, "a log is read from its beginning to its end");
            last = record.Offset;
            count++;
        }

        Require(reader.Position <= input.Length && reader.Damages.Count <= LegacyLogReader.MaxDamagesKept, "no further than the log is long");
    }

    private static byte[] Bipf(int type, ReadOnlySpan<byte> content)
    {
        var tag = (content.Length << 3) | type;
        return tag < 128 ? [(byte)tag, .. content] : [(byte)(tag | 0x80), (byte)(tag >> 7), .. content];
    }
}

/// <summary>Secret files and recovery words, which people type and paste.</summary>
internal sealed class SecretTarget : FuzzTarget
{
    public override string Name => "secrets";

    public override IEnumerable<byte[]> Seeds => [Samples.Utf8(SecretText.Format(Samples.Self)), Samples.Utf8(string.Join(' ', RecoveryWords.Of(Samples.Self)))];

    public override IReadOnlyList<byte[]> Words => Samples.Words("\"private\":", "\"public\":", "\"curve\":", "\"id\":", ".ed25519", "#", "{", "}", "\\ud800", "abandon ", "zoo ");

    public override void Run(ReadOnlySpan<byte> input)
    {
        var text = System.Text.Encoding.UTF8.GetString(input);
        if (TryRead(() => SecretText.Parse(text)) is { } keys)
        {
            Require(SecretText.Parse(SecretText.Format(keys)).Id == keys.Id, "a secret that was read can be written");
        }

        if (TryRead(() => RecoveryWords.Parse(text)) is { } recovered)
        {
            Require(RecoveryWords.Parse(string.Join(' ', RecoveryWords.Of(recovered))).Id == recovered.Id, "words that were read can be written");
        }
    }

    private static KeyPair? TryRead(Func<KeyPair> read)
    {
        try
        {
            return read();
        }
        catch (FormatException e)
        {
            Require(e.Message.Length > 0, "a refusal has a reason");
            return null;
        }
    }
}
