using System.Text.Json;

namespace PiPub.Scuttlebutt.Feeds.Classic;

/// <summary>Compares keys and texts of messages with names of the protocol.</summary>
/// <remarks>
/// In canonical text a plain name is never escaped, so the bytes tell. <see cref="Utf8JsonReader.ValueTextEquals(ReadOnlySpan{byte})"/>
/// undoes escapes first, and throws on half a surrogate pair, which a valid message may have in any key or text.
/// </remarks>
public static class CanonicalName
{
    /// <summary>Whether the reader stands on this key or text.</summary>
    /// <param name="json">A reader of canonical text.</param>
    /// <param name="name">A name without anything that JSON escapes.</param>
    public static bool Is(in Utf8JsonReader json, ReadOnlySpan<byte> name) => json.ValueSpan.SequenceEqual(name);
}
