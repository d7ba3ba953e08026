using System.Buffers;
using System.Text.Json;
using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Blobs;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Replication;
using PiPub.Storage.Log;
using PiPub.Storage.Views;

namespace PiPub.Fuzz;

/// <summary>The canonical text of JSON, against a slow reader and writer of its own: the same texts are refused, the rest come out alike.</summary>
internal sealed class CanonicalJsonTarget : FuzzTarget
{
    private readonly CanonicalJson _json = new(1 << 17);

    public override string Name => "canonical-json";

    public override IEnumerable<byte[]> Seeds =>
    [
        .. Samples.Contents.Select(Samples.Utf8),
        .. Samples.Words(
            """ {"b":1,"a":[true,false,null],"":{},"10":[],"9":"x","01":0,"__proto__":1,"b":2} """,
            """[0.1,1e21,1e-7,123456789012345678901,-0,5e-324,1.7976931348623159e308,4294967294]""",
            """[ "\u0000\b\f\n\r\t\"\\\/\ud83d\ude00\ud800\udc00\udc00\u2028" ]""",
            "\"\u00e9\u20ac\U0001F600\""),
        [(byte)'"', 0xed, 0xa0, 0x80, 0xc0, 0x80, 0xf4, 0x90, 0x80, 0x80, 0xe2, 0x82, (byte)'"'],
    ];

    public override IReadOnlyList<byte[]> Words =>
    [
        .. Samples.Words("\\u", "\\ud83d", "\\ude00", "\\u0031", "\"0\":", "\"4294967294\":", "\"4294967295\":", "1e", "e+3", "-0", "0.", "[[", "]]", "{\"a\":", "},", "null", "true", "\\/", "\u2028", "\U0001F600", "9007199254740993"),
        [0xc3], [0xed, 0xa0, 0x80], [0xf0, 0x9f], [0xef, 0xbb, 0xbf],
    ];

    public override int MaxInput => 2048;

    public override void Run(ReadOnlySpan<byte> input)
    {
        var expected = SlowJson.Stringify(input);
        Check(input, expected?.Compact, indented: false);
        Check(input, expected?.Indented, indented: true);
    }

    private void Check(ReadOnlySpan<byte> input, string? expected, bool indented)
    {
        if (!_json.TryWrite(input, indented))
        {
            Require(expected is null, "what is JSON must be taken: " + _json.Error);
            return;
        }

        Require(expected is not null, "what is no JSON must be refused");
        var written = _json.Written.ToArray();
        Require(written.AsSpan().SequenceEqual(Samples.Utf8(expected!)), $"written as JavaScript does: {expected}");
        Require(_json.Utf16Length == expected!.Length, "its length in UTF-16");
        if (!indented)
        {
            Require(_json.InputWasCompact == input.SequenceEqual(written), "whether it was compact already");
        }

        Require(_json.TryWrite(written, indented) && _json.Written.SequenceEqual(written), "what was written comes out again");
    }
}

/// <summary>
/// Whole messages. The first byte chooses: as they come, or signed anew after the mangling, so that more than the signature is tried.
/// What passes is read alike by everything that reads messages.
/// </summary>
internal sealed class ClassicVerifyTarget : FuzzTarget
{
    private readonly CanonicalJson _json = new(1 << 18);

    public override string Name => "classic-verify";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            foreach (var message in Samples.Feed)
            {
                byte[] value = message.Value.ToArray();
                yield return [0, .. value];
                var unsigned = value.AsSpan(0, value.AsSpan().IndexOf(",\"signature\""u8)).ToArray();
                yield return [1, .. unsigned, (byte)'}'];
            }
        }
    }

    public override IReadOnlyList<byte[]> Words => Samples.Words(
        "\"previous\":", "null", "\"author\":", "\"sequence\":", "\"timestamp\":", "\"hash\":\"sha256\"", "\"content\":", "\"signature\":", ".sig.ed25519", ".ed25519", ".box", ".box2",
        "\"type\":\"", "\\ud800", "\\n", "\u2028", "\U0001F600", "1073741823", "1073741824", "1e3", "==", "\"type\":\"post\"");

    public override int MaxInput => 9000;

    public override long AllowedBytes(int length) => (1 << 20) + (64L * length);

    public override void Run(ReadOnlySpan<byte> input)
    {
        var text = input.IsEmpty ? input : input[1..];
        var wire = !input.IsEmpty && (input[0] & 1) == 1 ? Sign(text) : text.ToArray();
        if (!ClassicFeed.TryVerify(wire, hmacKey: null, out var message, out var reason))
        {
            Require(!string.IsNullOrEmpty(reason), "a refusal has a reason");
            return;
        }

        Require(ClassicFeed.TryPeek(message.Value, out var author, out var sequence) && author == message.Author && sequence == message.Sequence, "peeking finds what verifying does");
        Require(ClassicFeed.TryVerify(message.Value, hmacKey: null, out var again, out _) && again.Id == message.Id && again.Value.Span.SequenceEqual(message.Value.Span), "what is kept verifies again");
        Require(ClassicFeed.TryUnwrap(message.Value, out var bare) && bare.Span.SequenceEqual(message.Value.Span), "what is kept is bare");
        if (ClassicEnvelope.TryRead(message.Value.Span, out var envelope))
        {
            Require(envelope.Author == message.Author && envelope.Sequence == message.Sequence && envelope.Previous == message.Previous && envelope.Timestamp == message.Timestamp, "the log reads it alike");
        }

        _ = ContactMessage.TryRead(message, out _);
        _ = new MessageContent().Read(message.Value);
        foreach (var link in new BlobLinks(message.Value.Span))
        {
            _ = link;
        }
    }

    private byte[] Sign(ReadOnlySpan<byte> unsigned)
    {
        if (!_json.TryWrite(unsigned, indented: true) || _json.Written is not [(byte)'{', .., (byte)'}'] || _json.Written.Length < 4)
        {
            return unsigned.ToArray();
        }

        Span<byte> signature = stackalloc byte[Sodium.SignatureBytes];
        Samples.Self.Sign(_json.Written, signature);
        _ = _json.TryWrite(unsigned, indented: false);
        return [.. _json.Written[..^1], .. Samples.Utf8($",\"signature\":\"{Convert.ToBase64String(signature)}.sig.ed25519\"}}")];
    }
}

/// <summary>What is looked at before anything is verified.</summary>
internal sealed class ClassicPeekTarget : FuzzTarget
{
    public override string Name => "classic-peek";

    public override IEnumerable<byte[]> Seeds =>
    [
        .. Samples.Feed.Select(static m => m.Value.ToArray()),
        .. Samples.Feed.Take(2).Select(static m => Samples.Utf8($"{{\"key\":\"{m.Id}\",\"value\":{System.Text.Encoding.UTF8.GetString(m.Value.Span)},\"timestamp\":1.5}}")),
    ];

    public override IReadOnlyList<byte[]> Words => Samples.Words("{\"previous\":", "null", "\"author\":", "\"sequence\":", "\"value\":", "\"key\":", "\\ud800", "{", "}");

    public override int MaxInput => 2048;

    public override void Run(ReadOnlySpan<byte> input)
    {
        var item = input.ToArray();
        if (ClassicFeed.TryPeek(item, out var author, out var sequence))
        {
            Require(!author.IsZero && sequence is >= 1 and <= ClassicFeed.MaxSequence, "a peek finds an author and a sequence");
        }

        if (ClassicFeed.TryUnwrap(item, out var value))
        {
            Require(value.Length <= item.Length, "what is unwrapped is inside");
        }

        if (ClassicEnvelope.TryRead(item, out var envelope))
        {
            _ = envelope.Sequence;
        }
    }
}

/// <summary>Contents of messages that are signed rightly: anybody who is followed may write anything.</summary>
internal sealed class ContentTarget : FuzzTarget
{
    private readonly CanonicalJson _json = new(1 << 16);
    private readonly MessageContent _content = new();

    public override string Name => "contents";

    public override IEnumerable<byte[]> Seeds => Samples.Contents.Select(Samples.Utf8);

    public override IReadOnlyList<byte[]> Words => Samples.Words(
        "\"type\":", "\"contact\"", "\"following\":true", "\"blocking\":", "\"flagged\":{", "\"about\":", "\"pub\"", "\"address\":", "\"mentions\":[", "\"link\":", "\"image\":", "\"name\":", "\"port\":", "\"host\":", "\"key\":",
        "&WZnrpxZcHhGUxS0nXqGvqKkzDIJQ0M3q5ENBNBPZ3Rk=.sha256", "%WZnrpxZcHhGUxS0nXqGvqKkzDIJQ0M3q5ENBNBPZ3Rk=.sha256", Samples.Other.Id.ToString(), "?unbox=", "\\ud800", "\\udc00", "\"\\ud800\":", "[[", "{\"a\":", "1e999", "#channel");

    public override int MaxInput => 4096;

    public override long AllowedBytes(int length) => (1 << 18) + (2048L * length);

    public override void Run(ReadOnlySpan<byte> input)
    {
        // What stands in a message is canonical and not too long; what is no JSON is in none.
        if (!_json.TryWrite(input, indented: true) || _json.Utf16Length > 7600 || !_json.TryWrite(input, indented: false))
        {
            return;
        }

        byte[] value = [.. "{\"previous\":null,\"sequence\":1,\"author\":\""u8, .. Samples.Utf8(Samples.Self.Id.ToString()), .. "\",\"timestamp\":1,\"hash\":\"sha256\",\"content\":"u8, .. _json.Written, .. ",\"signature\":\"x\"}"u8];
        var message = new Message(default, Samples.Self.Id, 1, default, 1, value);
        _ = ContactMessage.TryRead(message, out _);
        _content.Read(value);
        foreach (var link in _content.Links)
        {
            Require(LinkTarget.TryParse(link.Target.ToString(), out var again) && again.Equals(link.Target), "a link that was read can be written");
        }

        if (!_content.Address.IsEmpty)
        {
            _ = PubAddress.Read(_content.Address, Samples.Self.Id);
        }

        foreach (var blob in new BlobLinks(value))
        {
            _ = blob;
        }
    }
}

/// <summary>EBT notes: what was read can be written and is then read alike.</summary>
internal sealed class EbtNotesTarget : FuzzTarget
{
    public override string Name => "ebt-notes";

    public override IEnumerable<byte[]> Seeds => Samples.Words(
        $$"""{"{{Samples.Self.Id}}":4,"{{Samples.Other.Id}}":-1}""",
        $$"""{"clock":{"{{Samples.Self.Id}}":2147483647},"x":{"clock":{ } },"{{Samples.Other.Id}}":1.5}""",
        "{}");

    public override IReadOnlyList<byte[]> Words => Samples.Words("\"clock\":{", $"\"{Samples.Self.Id}\":", "\\/", "\\ud800", "\\u0040", "-1", "2147483648", "{", "}", "[", "]", "1e3");

    public override void Run(ReadOnlySpan<byte> input)
    {
        var notes = new List<(FeedId Feed, EbtNote Note)>();
        try
        {
            var reader = new EbtNotesReader(input);
            while (reader.Read(out var feed, out var note))
            {
                Require(note.Value >= -1, "a note is a sequence or none");
                notes.Add((feed, note));
            }
        }
        catch (JsonException)
        {
            // The one answer to notes that are none.
        }

        var output = new ArrayBufferWriter<byte>(256);
        var writer = new EbtNotesWriter(output);
        foreach (var (feed, note) in notes)
        {
            writer.Write(feed, note);
        }

        writer.End();
        var again = new EbtNotesReader(output.WrittenSpan);
        foreach (var (feed, note) in notes)
        {
            Require(again.Read(out var readFeed, out var readNote) && readFeed == feed && readNote == note, "notes that were read can be written");
        }

        Require(!again.Read(out _, out _), "and nothing else");
    }
}

/// <summary>What a peer says about blobs.</summary>
internal sealed class BlobWantsTarget : FuzzTarget
{
    public override string Name => "blob-wants";

    public override IEnumerable<byte[]> Seeds => Samples.Words(
        """{"&WZnrpxZcHhGUxS0nXqGvqKkzDIJQ0M3q5ENBNBPZ3Rk=.sha256":-1,"&\u0026nrpxZcHhGUxS0nXqGvqKkzDIJQ0M3q5ENBNBPZ3Rk=.sha256":5242880}""",
        """{"\u0026WZnrpxZcHhGUxS0nXqGvqKkzDIJQ0M3q5ENBNBPZ3Rk=.sha256":-2.0,"x":[]}""");

    public override IReadOnlyList<byte[]> Words => Samples.Words("\"&WZnrpxZcHhGUxS0nXqGvqKkzDIJQ0M3q5ENBNBPZ3Rk=.sha256\":", "\\u0026", "\\ud800", "-9223372036854775808", "1e19", "-1", "{", "}");

    public override void Run(ReadOnlySpan<byte> input)
    {
        var wants = new BlobWants();
        var has = new WantsWriter();
        try
        {
            var reader = new WantsReader(input);
            while (reader.Read())
            {
                Require(reader.Number != 0, "zero says nothing");
                if (reader.Number < 0)
                {
                    _ = wants.Sympathise(reader.Id, reader.Number);
                }
                else if (has.Count < WantsWriter.EntriesPerItem)
                {
                    has.Add(reader.Id, reader.Number);
                }
            }
        }
        catch (JsonException)
        {
            // The one answer to what is no JSON.
        }

        var count = has.Count;
        if (count > 0)
        {
            var again = new WantsReader(has.End().Span);
            for (; count > 0; count--)
            {
                Require(again.Read(), "what was read can be written");
            }
        }
    }
}
