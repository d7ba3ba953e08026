using System.Diagnostics.CodeAnalysis;

namespace PiPub.Scuttlebutt.Identities;

/// <summary>
/// A feed and the identity that writes it: an Ed25519 public key. Source: SSB protocol guide, Keys and identities; ssb-ref.
/// </summary>
/// <remarks>Text form: <c>@(44 characters of base64).ed25519</c>, 53 characters.</remarks>
public readonly struct FeedId : IEquatable<FeedId>, IComparable<FeedId>
{
    /// <summary>Length of the text form in characters.</summary>
    public const int TextLength = 53;

    private const byte Sigil = (byte)'@';
    private readonly Bytes32 _bytes;

    /// <summary>Wraps the 32 bytes inside the id.</summary>
    public FeedId(Bytes32 bytes) => _bytes = bytes;

    /// <summary>Copies the 32 bytes inside the id.</summary>
    /// <exception cref="ArgumentException">The span is not 32 bytes long.</exception>
    public FeedId(ReadOnlySpan<byte> bytes) => _bytes = new Bytes32(bytes);

    private static ReadOnlySpan<byte> Suffix => ".ed25519"u8;

    /// <summary>The 32 bytes inside the id.</summary>
    public Bytes32 Bytes => _bytes;

    /// <summary>True for the default value, which is no id.</summary>
    public bool IsZero => _bytes.IsZero;

    /// <summary>The 32 bytes in place, without a copy.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> AsSpan() => _bytes.AsSpan();

    /// <summary>Reads the text form; false for anything but its one canonical spelling.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out FeedId id)
    {
        var ok = SigilText.TryParse(text, Sigil, Suffix, out var bytes);
        id = new FeedId(bytes);
        return ok;
    }

    /// <summary>Reads the text form from UTF-8; false for anything but its one canonical spelling.</summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out FeedId id)
    {
        var ok = SigilText.TryParse(utf8, Sigil, Suffix, out var bytes);
        id = new FeedId(bytes);
        return ok;
    }

    /// <summary>Reads the text form.</summary>
    /// <exception cref="FormatException">The text is not a canonical id of this kind.</exception>
    public static FeedId Parse(ReadOnlySpan<char> text)
    {
        if (!TryParse(text, out var id))
        {
            SigilText.Throw("a feed id", "@(44 characters of base64).ed25519");
        }

        return id;
    }

    /// <summary>Writes the text form as UTF-8 and returns its length, <see cref="TextLength"/>.</summary>
    public int Format(Span<byte> utf8) => SigilText.Format(_bytes, Sigil, Suffix, utf8);

    /// <inheritdoc/>
    public override string ToString() => SigilText.ToString(_bytes, Sigil, Suffix);

    /// <inheritdoc/>
    public bool Equals(FeedId other) => _bytes.Equals(other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is FeedId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _bytes.GetHashCode();

    /// <summary>Orders by the bytes inside.</summary>
    public int CompareTo(FeedId other) => _bytes.CompareTo(other._bytes);

    /// <summary>Equality by value.</summary>
    public static bool operator ==(FeedId left, FeedId right) => left.Equals(right);

    /// <summary>Inequality by value.</summary>
    public static bool operator !=(FeedId left, FeedId right) => !left.Equals(right);

    /// <summary>Byte order.</summary>
    public static bool operator <(FeedId left, FeedId right) => left.CompareTo(right) < 0;

    /// <summary>Byte order.</summary>
    public static bool operator >(FeedId left, FeedId right) => left.CompareTo(right) > 0;

    /// <summary>Byte order.</summary>
    public static bool operator <=(FeedId left, FeedId right) => left.CompareTo(right) <= 0;

    /// <summary>Byte order.</summary>
    public static bool operator >=(FeedId left, FeedId right) => left.CompareTo(right) >= 0;
}
