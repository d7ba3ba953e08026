using System.Text.Json;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Blobs;

/// <summary>
/// Reads one item of a <c>blobs.createWants</c> stream: a JSON object of blob ids and whole numbers.
/// </summary>
/// <remarks>
/// <para>References: SSB protocol guide, Blobs; ssb-blobs 2.0.1 inject.js (process).</para>
/// <para>A negative number is a want: -1 by the sender itself, -2 by a peer of it, and so on. A positive number says that the
/// sender holds the blob, and its size in bytes. Zero says nothing.</para>
/// <para>As in JavaScript, keys that are no blob ids and values that are no whole numbers are passed over, and so is an item that is no object.
/// Nothing is copied: a first item may hold thousands of ids.</para>
/// </remarks>
public ref struct WantsReader
{
    private Utf8JsonReader _json;
    private bool _inObject;

    /// <summary>Reads the item in <paramref name="utf8"/>.</summary>
    public WantsReader(ReadOnlySpan<byte> utf8)
    {
        _json = new Utf8JsonReader(utf8);
        Id = default;
        Number = 0;
    }

    /// <summary>The blob spoken of.</summary>
    public BlobId Id { get; private set; }

    /// <summary>Below zero: a want at that distance. Above zero: a size in bytes.</summary>
    public long Number { get; private set; }

    /// <summary>Moves to the next entry; false after the last.</summary>
    /// <exception cref="JsonException">The item is not JSON. Entries before the fault have been read.</exception>
    public bool Read()
    {
        if (!_inObject)
        {
            if (!_json.Read() || _json.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            _inObject = true;
        }

        Span<byte> spelledOut = stackalloc byte[BlobId.TextLength];
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            // Ids need no escapes, and JSON.stringify writes none; but Go's encoder escapes the ampersand.
            scoped var key = _json.ValueSpan;
            if (_json.ValueIsEscaped)
            {
                key = EscapedId.TryUndo(key, spelledOut, out var length) ? spelledOut[..length] : default;
            }

            var isBlob = BlobId.TryParse(key, out var id);
            _json.Read();
            if (_json.TokenType == JsonTokenType.Number)
            {
                if (isBlob && TryGetWhole(out var number) && number != 0)
                {
                    Id = id;
                    Number = number;
                    return true;
                }
            }
            else
            {
                _json.Skip();
            }
        }

        return false;
    }

    // 5.0 and 5e0 are whole numbers to JavaScript.
    private readonly bool TryGetWhole(out long number)
    {
        if (_json.TryGetInt64(out number))
        {
            return true;
        }

        if (_json.TryGetDouble(out var real) && Math.Abs(real) <= MaxSafeInteger && real == Math.Truncate(real))
        {
            number = (long)real;
            return true;
        }

        return false;
    }

    private const double MaxSafeInteger = 9007199254740991;
}
