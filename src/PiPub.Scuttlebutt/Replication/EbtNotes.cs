using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Replication;

/// <summary>
/// Reads a notes object, <c>{"@feed.ed25519": note, ...}</c>, one feed at a time and without building anything: the
/// first notes of a session may name tens of thousands of feeds.
/// </summary>
/// <remarks>
/// A wrapper <c>{"clock": {...}}</c> is accepted, keys that are no classic feed are passed over, and a value that is no
/// 32-bit integer reads as -1. The size is bounded by the muxrpc body that it came in.
/// Source: epidemic-broadcast-trees 9.0.4, events.js (notes); ssb-ebt 9.1.2, index.js (cleanClock).
/// </remarks>
public ref struct EbtNotesReader
{
    private Utf8JsonReader _json;
    private int _depth;

    /// <summary>Reads from <paramref name="utf8"/>; that it is an object shows at the first <see cref="Read"/>.</summary>
    public EbtNotesReader(ReadOnlySpan<byte> utf8)
    {
        _json = new Utf8JsonReader(utf8);
        _depth = 0;
    }

    /// <summary>Moves to the next feed; false at the end.</summary>
    /// <exception cref="JsonException">The body is not a JSON object, or not JSON. What came before was valid.</exception>
    public bool Read(out FeedId feed, out EbtNote note)
    {
        if (_depth == 0)
        {
            if (!_json.Read() || _json.TokenType != JsonTokenType.StartObject)
            {
                throw new JsonException("EBT notes must be an object of feeds and integers.");
            }

            _depth = 1;
        }

        while (_json.Read())
        {
            if (_json.TokenType == JsonTokenType.EndObject)
            {
                _depth--;
                continue;
            }

            var isFeed = TryReadKey(out feed);
            var isClock = !isFeed && _depth == 1 && _json.ValueSpan.SequenceEqual("clock"u8);
            _ = _json.Read();
            if (isClock && _json.TokenType == JsonTokenType.StartObject)
            {
                _depth++;
                continue;
            }

            if (isFeed)
            {
                note = _json.TokenType == JsonTokenType.Number && _json.TryGetInt32(out var value) && value >= 0
                    ? new EbtNote(value)
                    : EbtNote.NotReplicated;
                _json.Skip();
                return true;
            }

            _json.Skip();
        }

        feed = default;
        note = default;
        return false;
    }

    private readonly bool TryReadKey(out FeedId feed)
    {
        if (!_json.ValueIsEscaped)
        {
            return FeedId.TryParse(_json.ValueSpan, out feed);
        }

        Span<byte> plain = stackalloc byte[FeedId.TextLength];
        feed = default;
        return EscapedId.TryUndo(_json.ValueSpan, plain, out var length) && FeedId.TryParse(plain[..length], out feed);
    }
}

/// <summary>Writes a notes object feed by feed.</summary>
/// <remarks>Source: epidemic-broadcast-trees 9.0.4.</remarks>
public ref struct EbtNotesWriter
{
    // "@...": 53 characters and two quotes, a comma, a colon, at most 10 digits, and the closing brace.
    private const int MaxEntry = FeedId.TextLength + 2 + 2 + 11 + 1;

    private readonly IBufferWriter<byte> _output;

    /// <summary>Opens the object.</summary>
    public EbtNotesWriter(IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        _output = output;
        output.GetSpan(1)[0] = (byte)'{';
        output.Advance(1);
    }

    /// <summary>The number of feeds written.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a feed, which must not be in this object already.</summary>
    public void Write(FeedId feed, EbtNote note)
    {
        var span = _output.GetSpan(MaxEntry);
        var length = 0;
        if (Count++ > 0)
        {
            span[length++] = (byte)',';
        }

        span[length++] = (byte)'"';
        length += feed.Format(span[length..]);
        span[length++] = (byte)'"';
        span[length++] = (byte)':';
        _ = Utf8Formatter.TryFormat(note.Value, span[length..], out var digits);
        _output.Advance(length + digits);
    }

    /// <summary>Closes the object.</summary>
    public readonly void End()
    {
        _output.GetSpan(1)[0] = (byte)'}';
        _output.Advance(1);
    }
}
