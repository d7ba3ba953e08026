using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Blobs;

/// <summary>
/// The blobs that a message speaks of: every blob id anywhere in it, in <c>mentions[].link</c>, <c>image</c>, inside Markdown,
/// with or without a query such as <c>?unbox=...</c>.
/// </summary>
/// <remarks>
/// <para>Source: ssb-ref 2.16.0 (blobIdRegex, parseLink, extract); ssb-blobs wants are raised by clients from these places.</para>
/// <para>A signed value is what JSON.stringify writes, which never escapes an ampersand, a slash or a base64 letter, so the ids
/// stand in its bytes as they are. One vectorised search finds them at any depth, in values and in keys, and no nesting
/// that a stranger chooses costs stack or time.</para>
/// </remarks>
public ref struct BlobLinks
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>Reads the blob ids of a message value, or of its content.</summary>
    public BlobLinks(ReadOnlySpan<byte> canonicalJson) => _rest = canonicalJson;

    /// <summary>The id found last.</summary>
    public BlobId Current { get; private set; }

    /// <summary>Finds the next id; one that is mentioned twice is found twice.</summary>
    public bool MoveNext()
    {
        while (true)
        {
            var start = _rest.IndexOf((byte)'&');
            if (start < 0 || _rest.Length - start < BlobId.TextLength)
            {
                _rest = default;
                return false;
            }

            _rest = _rest[start..];
            if (BlobId.TryParse(_rest[..BlobId.TextLength], out var id) && !ContinuesSuffix(_rest[BlobId.TextLength..]))
            {
                Current = id;
                _rest = _rest[BlobId.TextLength..];
                return true;
            }

            _rest = _rest[1..];
        }
    }

    /// <summary>This, so that <c>foreach</c> works.</summary>
    public readonly BlobLinks GetEnumerator() => this;

    /// <summary>
    /// Reads a link as people and messages write it: an id, perhaps followed by a query.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> link, out BlobId id)
    {
        var query = link.IndexOf((byte)'?');
        return BlobId.TryParse(query < 0 ? link : link[..query], out id);
    }

    // ".sha256x" is another kind of id, not a blob followed by text.
    private static bool ContinuesSuffix(ReadOnlySpan<byte> after) =>
        !after.IsEmpty && (char.IsAsciiLetterOrDigit((char)after[0]) || after[0] == (byte)'_');
}
