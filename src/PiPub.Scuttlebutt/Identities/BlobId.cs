using System.Diagnostics.CodeAnalysis;

namespace PiPub.Scuttlebutt.Identities;

/// <summary>
/// A blob: the SHA-256 of its bytes. Source: SSB protocol guide, Blobs; multiblob.
/// </summary>
/// <remarks>Text form: <c>&amp;(44 characters of base64).sha256</c>, 52 characters.</remarks>
public readonly struct BlobId : IEquatable<BlobId>, IComparable<BlobId>
{
    /// <summary>Length of the text form in characters.</summary>
    public const int TextLength = 52;

    private const byte Sigil = (byte)'&';
    private readonly Bytes32 _bytes;

    /// <summary>Wraps the 32 bytes inside the id.</summary>
    public BlobId(Bytes32 bytes) => _bytes = bytes;

    /// <summary>Copies the 32 bytes inside the id.</summary>
    /// <exception cref="ArgumentException">The span is not 32 bytes long.</exception>
    public BlobId(ReadOnlySpan<byte> bytes) => _bytes = new Bytes32(bytes);

    private static ReadOnlySpan<byte> Suffix => ".sha256"u8;

    /// <summary>The 32 bytes inside the id.</summary>
    public Bytes32 Bytes => _bytes;

    /// <summary>True for the default value, which is no id.</summary>
    public bool IsZero => _bytes.IsZero;

    /// <summary>The 32 bytes in place, without a copy.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> AsSpan() => _bytes.AsSpan();

    /// <summary>Reads the text form; false for anything but its one canonical spelling.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out BlobId id)
    {
        var ok = SigilText.TryParse(text, Sigil, Suffix, out var bytes);
        id = new BlobId(bytes);
        return ok;
    }

    /// <summary>Reads the text form from UTF-8; false for anything but its one canonical spelling.</summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out BlobId id)
    {
        var ok = SigilText.TryParse(utf8, Sigil, Suffix, out var bytes);
        id = new BlobId(bytes);
        return ok;
    }

    /// <summary>Reads the text form.</summary>
    /// <exception cref="FormatException">The text is not a canonical id of this kind.</exception>
    public static BlobId Parse(ReadOnlySpan<char> text)
    {
        if (!TryParse(text, out var id))
        {
            SigilText.Throw("a blob id", "&(44 characters of base64).sha256");
        }

        return id;
    }

    /// <summary>Writes the text form as UTF-8 and returns its length, <see cref="TextLength"/>.</summary>
    public int Format(Span<byte> utf8) => SigilText.Format(_bytes, Sigil, Suffix, utf8);

    /// <inheritdoc/>
    public override string ToString() => SigilText.ToString(_bytes, Sigil, Suffix);

    /// <inheritdoc/>
    public bool Equals(BlobId other) => _bytes.Equals(other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BlobId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _bytes.GetHashCode();

    /// <summary>Orders by the bytes inside.</summary>
    public int CompareTo(BlobId other) => _bytes.CompareTo(other._bytes);

    /// <summary>Equality by value.</summary>
    public static bool operator ==(BlobId left, BlobId right) => left.Equals(right);

    /// <summary>Inequality by value.</summary>
    public static bool operator !=(BlobId left, BlobId right) => !left.Equals(right);

    /// <summary>Byte order.</summary>
    public static bool operator <(BlobId left, BlobId right) => left.CompareTo(right) < 0;

    /// <summary>Byte order.</summary>
    public static bool operator >(BlobId left, BlobId right) => left.CompareTo(right) > 0;

    /// <summary>Byte order.</summary>
    public static bool operator <=(BlobId left, BlobId right) => left.CompareTo(right) <= 0;

    /// <summary>Byte order.</summary>
    public static bool operator >=(BlobId left, BlobId right) => left.CompareTo(right) >= 0;
}
