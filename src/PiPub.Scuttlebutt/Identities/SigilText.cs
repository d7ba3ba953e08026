using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace PiPub.Scuttlebutt.Identities;

/// <summary>
/// The text form that feed, message and blob ids share: a sigil, 44 characters of canonical base64, a suffix.
/// </summary>
/// <remarks>Canonical means: padded, and the unused low bits of the last character zero; anything else is refused,
/// as one id must have one spelling. Source: ssb-ref, is-canonical-base64.</remarks>
internal static class SigilText
{
    public const int Base64Length = 44;

    public static bool TryParse(ReadOnlySpan<byte> utf8, byte sigil, ReadOnlySpan<byte> suffix, out Bytes32 bytes)
    {
        if (utf8.Length == 1 + Base64Length + suffix.Length && utf8[0] == sigil && utf8[(1 + Base64Length)..].SequenceEqual(suffix))
        {
            return TryDecode(utf8.Slice(1, Base64Length), out bytes);
        }

        bytes = default;
        return false;
    }

    public static bool TryParse(ReadOnlySpan<char> text, byte sigil, ReadOnlySpan<byte> suffix, out Bytes32 bytes)
    {
        Span<byte> utf8 = stackalloc byte[64];
        bytes = default;
        return text.Length <= 64
            && Ascii.FromUtf16(text, utf8, out var written) == OperationStatus.Done
            && TryParse(utf8[..written], sigil, suffix, out bytes);
    }

    /// <summary>Decodes 44 characters of canonical base64; refuses white space and loose trailing bits.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> base64, out Bytes32 bytes)
    {
        Span<byte> decoded = stackalloc byte[33];
        Span<byte> again = stackalloc byte[Base64Length];
        if (base64.Length == Base64Length
            && Base64.DecodeFromUtf8(base64, decoded, out _, out var written) == OperationStatus.Done
            && written == Bytes32.Length
            && Base64.EncodeToUtf8(decoded[..Bytes32.Length], again, out _, out _) == OperationStatus.Done
            && again.SequenceEqual(base64))
        {
            bytes = new Bytes32(decoded[..Bytes32.Length]);
            return true;
        }

        bytes = default;
        return false;
    }

    public static int Format(in Bytes32 bytes, byte sigil, ReadOnlySpan<byte> suffix, Span<byte> utf8)
    {
        utf8[0] = sigil;
        _ = Base64.EncodeToUtf8(bytes.AsSpan(), utf8[1..], out _, out _);
        suffix.CopyTo(utf8[(1 + Base64Length)..]);
        return 1 + Base64Length + suffix.Length;
    }

    public static string ToString(in Bytes32 bytes, byte sigil, ReadOnlySpan<byte> suffix)
    {
        Span<byte> utf8 = stackalloc byte[64];
        return Encoding.ASCII.GetString(utf8[..Format(bytes, sigil, suffix, utf8)]);
    }

    [DoesNotReturn]
    public static void Throw(string what, string form) =>
        throw new FormatException($"This is not {what}: expected {form}.");
}
