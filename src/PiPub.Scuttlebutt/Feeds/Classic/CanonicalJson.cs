using System.Diagnostics.CodeAnalysis;

namespace PiPub.Scuttlebutt.Feeds.Classic;

/// <summary>
/// JSON as JavaScript writes it, in one pass over UTF-8: what <c>JSON.stringify(JSON.parse(text), null, 2)</c> and
/// <c>JSON.stringify(JSON.parse(text))</c> give in Node, byte for byte. Classic messages are signed and named over it.
/// </summary>
/// <remarks>
/// Sources: ECMA-262 (JSON.parse, JSON.stringify, QuoteJSONString, Number::toString, OrdinaryOwnPropertyKeys); ssb-validate;
/// SSB protocol guide, Message encoding.
/// <para>What differs from other writers of JSON: only <c>" \</c> and control characters are escaped (<c>\b \f \n \r \t</c>,
/// else <c>\u00xx</c> in lower case), lone surrogates are written <c>\udxxx</c>; numbers are doubles; keys that are array
/// indices ("0" to "4294967294") come first in ascending order; of equal keys the first gives the place and the last the
/// value; bytes that are not UTF-8 become U+FFFD as in Buffer.toString('utf8'). <c>__proto__</c> is a key as any other.</para>
/// <para>Nesting is bounded to <see cref="MaxDepth"/>; the output to a number of bytes that the maker chooses. Looking for
/// equal keys costs the square of the keys in one object (16 compared at once), so that bound should stay below a
/// mebibyte for what strangers send. An instance is a reusable buffer for one thread at a time; in steady state it
/// allocates nothing, save for objects whose keys must be moved.</para>
/// </remarks>
public sealed partial class CanonicalJson
{
    /// <summary>The deepest nesting of objects and arrays that is read. No message of 8,192 units is deeper than 64.</summary>
    public const int MaxDepth = 512;

    // Free space that every step may rely on beyond the input that is left: one vector store or one short token.
    private const int Slack = 64;

    private readonly int _maxBytes;
    private byte[] _out;
    private int _length;
    private int _surplus;
    private bool _same;
    private bool _indented;
    private bool _recount;

    /// <summary>Makes a writer.</summary>
    /// <param name="maxBytes">The most bytes of output; longer ones are refused.</param>
    public CanonicalJson(int maxBytes = 1 << 20)
    {
        _maxBytes = maxBytes;
        _out = new byte[Math.Min(4096, maxBytes + Slack)];
    }

    /// <summary>What the last call wrote. Valid until the next one.</summary>
    public ReadOnlySpan<byte> Written => _out.AsSpan(0, _length);

    /// <summary>The length of <see cref="Written"/> in UTF-16 code units: what JavaScript calls its length.</summary>
    public int Utf16Length { get; private set; }

    /// <summary>True when the input already was its own compact form, so that it can be kept as it is.</summary>
    public bool InputWasCompact => _same;

    /// <summary>The number of different keys of the outermost object; 0 when it is none.</summary>
    public int RootKeys { get; private set; }

    /// <summary>Why the last call gave false, in words.</summary>
    public string? Error { get; private set; }

    /// <summary>Where in the input it gave up, in bytes.</summary>
    public int ErrorOffset { get; private set; }

    /// <summary>What was written, open to be changed in place.</summary>
    internal Span<byte> Editable => _out.AsSpan(0, _length);

    /// <summary>Reads one JSON text and writes it as JavaScript would.</summary>
    /// <param name="utf8">The whole text, nothing but white space around it.</param>
    /// <param name="indented">True for two spaces of indentation, the form that is signed; false for the compact form.</param>
    /// <returns>False when it is no JSON, or too deep or too long: see <see cref="Error"/>.</returns>
    public bool TryWrite(ReadOnlySpan<byte> utf8, bool indented)
    {
        _length = 0;
        _surplus = 0;
        _keys = 0;
        _depth = 0;
        _same = true;
        _recount = false;
        _indented = indented;
        RootKeys = 0;
        Error = null;
        ErrorOffset = 0;
        if (!Reserve(utf8.Length) || !Transcode(utf8))
        {
            _length = 0;
            Utf16Length = 0;
            _same = false;
            return false;
        }

        if (_length > _maxBytes)
        {
            _length = 0;
            return Fail(utf8.Length, "the text is too long");
        }

        Utf16Length = _recount ? System.Text.Encoding.UTF8.GetCharCount(Written) : _length - _surplus;
        return true;
    }

    /// <summary>The canonical form of a text, as a fresh array.</summary>
    /// <exception cref="FormatException">It is no JSON, or too deep.</exception>
    public static byte[] Stringify(ReadOnlySpan<byte> utf8, bool indented)
    {
        var json = new CanonicalJson(int.MaxValue / 2);
        return json.TryWrite(utf8, indented)
            ? json.Written.ToArray()
            : throw new FormatException($"This is not JSON: {json.Error} (at byte {json.ErrorOffset}).");
    }

    /// <summary>Gives back memory that an unusually large text has taken.</summary>
    internal void Trim(int keepBytes)
    {
        if (_out.Length > keepBytes)
        {
            _out = new byte[Math.Min(4096, keepBytes)];
            _length = 0;
        }

        TrimKeys();
    }

    /// <summary>Makes room for what is left of the input, <paramref name="more"/> bytes and the slack.</summary>
    private bool Reserve(int more)
    {
        var needed = (long)_length + more + Slack;
        return needed <= _out.Length || Grow(needed);
    }

    private bool Grow(long needed)
    {
        if (needed > _maxBytes + (2L * Slack))
        {
            return Fail(0, "the text is too long");
        }

        Array.Resize(ref _out, (int)Math.Min(Math.Max(needed, 2L * _out.Length), _maxBytes + (2L * Slack)));
        return true;
    }

    [SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "It sets properties.")]
    private bool Fail(int offset, string error)
    {
        Error = error;
        ErrorOffset = offset;
        return false;
    }
}
