using System.Buffers;
using System.Text;
using System.Text.Json;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Views;

/// <summary>A link in a message's content.</summary>
/// <param name="Target">What it points to.</param>
/// <param name="Rel">The key of the content under which it stands.</param>
/// <param name="IsNested">
/// False where ssb-msgs finds links: the key's value, an item of its array, or the <c>link</c> of either; true further inside or within text.
/// </param>
/// <param name="Query">What follows the id, from a question mark on (<c>?unbox=...</c>); null when nothing does.</param>
public readonly record struct ContentLink(LinkTarget Target, string Rel, bool IsNested, string? Query = null)
{
    /// <summary>The link as it stands in the content.</summary>
    public string Text => Target + Query;
}

/// <summary>
/// What the views need to know of a message's content, read in one pass over its bytes. One reader reads many messages,
/// one after the other; each reading forgets the one before.
/// </summary>
/// <remarks>
/// Sources: ssb-msgs 5.2.0 indexLinks, ssb-ref 2.16.0, ssb-friends 5.1.7 contacts.js. Content is anybody's: whatever has
/// another form than expected is left out.
/// </remarks>
public sealed class MessageContent
{
    // A value holds at most 8,192 code units, so it nests less deeply than half of that.
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 4096 };

    private static readonly (byte[] Utf8, string Text)[] UsualRels =
        [.. "mentions root branch vote contact about image reply fork channel tangles recps repo project issue issues text blog packs".Split(' ')
            .Select(static rel => (Encoding.UTF8.GetBytes(rel), rel))];

    private const int MaxIndexedType = 32;

    private readonly List<ContentLink> _links = [];
    private ReadOnlyMemory<byte> _value;

    /// <summary>True when the content is encrypted: nothing else is known then.</summary>
    public bool IsEncrypted { get; private set; }

    /// <summary>The content's type; null when there is none.</summary>
    public string? Type { get; private set; }

    /// <summary>The part of the type that messages are found by: its first 32 UTF-16 units. Source: ssb-db 20.4.1, indexes/links.js.</summary>
    public string? IndexedType => Type?.Length > MaxIndexedType ? Type[..MaxIndexedType] : Type;

    /// <summary>Every link, in the order of the text; the same may come twice.</summary>
    public IReadOnlyList<ContentLink> Links => _links;

    /// <summary>The feed under <c>contact</c>.</summary>
    public FeedId? Contact { get; private set; }

    /// <summary>What a contact message makes of the edge: the last message wins entirely.</summary>
    public ContactState ContactState { get; private set; }

    /// <summary>What an about message is about: the id under <c>about</c>.</summary>
    public LinkTarget? About { get; private set; }

    /// <summary>The JSON of <c>name</c>; empty when missing.</summary>
    public ReadOnlyMemory<byte> Name { get; private set; }

    /// <summary>The JSON of <c>image</c>; empty when missing.</summary>
    public ReadOnlyMemory<byte> Image { get; private set; }

    /// <summary>The JSON of <c>description</c>; empty when missing.</summary>
    public ReadOnlyMemory<byte> Description { get; private set; }

    /// <summary>The JSON of <c>publicWebHosting</c>; empty when missing.</summary>
    public ReadOnlyMemory<byte> PublicWebHosting { get; private set; }

    /// <summary>The JSON of <c>address</c>; empty when missing.</summary>
    public ReadOnlyMemory<byte> Address { get; private set; }

    /// <summary>Reads a message's value (compact JSON).</summary>
    /// <returns>This reader.</returns>
    public MessageContent Read(ReadOnlyMemory<byte> value)
    {
        Forget();
        _value = value;
        try
        {
            var reader = new Utf8JsonReader(value.Span, Options);
            if (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
            {
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var isContent = CanonicalName.Is(reader, "content"u8);
                    reader.Read();
                    if (!isContent)
                    {
                        reader.Skip();
                    }
                    else if (reader.TokenType == JsonTokenType.StartObject)
                    {
                        ReadContent(ref reader);
                        break;
                    }
                    else
                    {
                        IsEncrypted = reader.TokenType == JsonTokenType.String;
                        break;
                    }
                }
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // Not JSON, or text that is not Unicode: for the views such content says nothing.
            Forget();
        }

        return this;
    }

    /// <summary>Whether the link with this number stands in the content once more before.</summary>
    public bool IsRepeated(int link)
    {
        for (var i = 0; i < link; i++)
        {
            if (_links[i] == _links[link])
            {
                return true;
            }
        }

        return false;
    }

    private void Forget()
    {
        _links.Clear();
        IsEncrypted = false;
        Type = null;
        Contact = null;
        ContactState = ContactState.Neutral;
        About = null;
        Name = Image = Description = PublicWebHosting = Address = default;
    }

    private void ReadContent(ref Utf8JsonReader reader)
    {
        var (following, blocking) = (false, false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader; // a copy to come back to when the key's text is wanted
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            var token = reader.TokenType;
            if (CanonicalName.Is(key, "following"u8))
            {
                following = token == JsonTokenType.True;
            }
            else if (CanonicalName.Is(key, "blocking"u8) || CanonicalName.Is(key, "flagged"u8))
            {
                blocking |= IsTruthy(ref reader);
            }
            else if (token == JsonTokenType.String)
            {
                if (CanonicalName.Is(key, "type"u8))
                {
                    Type = Text(ref reader);
                }
                else if (CanonicalName.Is(key, "contact"u8))
                {
                    Contact = TryLink(ref reader, out var target) && target.IsFeed(out var feed) ? feed : null;
                }
                else if (CanonicalName.Is(key, "about"u8))
                {
                    About = TryLink(ref reader, out var target) ? target : null;
                }
            }

            ReadLinks(ref reader, ref key);
            var json = _value[start..(int)reader.BytesConsumed];
            if (token == JsonTokenType.Null)
            {
                continue;
            }

            if (CanonicalName.Is(key, "name"u8))
            {
                Name = json;
            }
            else if (CanonicalName.Is(key, "image"u8))
            {
                Image = json;
            }
            else if (CanonicalName.Is(key, "description"u8))
            {
                Description = json;
            }
            else if (CanonicalName.Is(key, "publicWebHosting"u8))
            {
                PublicWebHosting = json;
            }
            else if (CanonicalName.Is(key, "address"u8))
            {
                Address = json;
            }
        }

        ContactState = blocking ? ContactState.Block : following ? ContactState.Follow : ContactState.Neutral;
    }

    /// <summary>Finds every link in the value of a key of the content, and leaves the reader at the value's end.</summary>
    private void ReadLinks(ref Utf8JsonReader reader, ref Utf8JsonReader key)
    {
        var depth = reader.CurrentDepth;
        if (reader.TokenType == JsonTokenType.String)
        {
            FindLinks(ref reader, ref key, isNested: false);
            return;
        }

        if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            return;
        }

        var isArray = reader.TokenType == JsonTokenType.StartArray;
        var underLink = false;
        while (reader.Read() && reader.CurrentDepth > depth)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    underLink = CanonicalName.Is(reader, "link"u8);
                    break;
                case JsonTokenType.String:
                    var inside = reader.CurrentDepth - depth;
                    FindLinks(ref reader, ref key, isNested: !(isArray ? inside == 1 || (inside == 2 && underLink) : inside == 1 && underLink));
                    break;
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    underLink = false;
                    break;
                default:
                    break;
            }
        }
    }

    private void FindLinks(ref Utf8JsonReader reader, ref Utf8JsonReader key, bool isNested)
    {
        if (reader.ValueSpan.Length < BlobId.TextLength)
        {
            return;
        }

        if (!reader.ValueIsEscaped)
        {
            FindLinks(reader.ValueSpan, ref key, isNested);
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(reader.ValueSpan.Length);
        try
        {
            FindLinks(buffer.AsSpan(0, reader.CopyString(buffer)), ref key, isNested);
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair is legal in JSON text; a link has none.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void FindLinks(ReadOnlySpan<byte> text, ref Utf8JsonReader key, bool isNested)
    {
        if (LinkTarget.TryParse(text, out var target))
        {
            var query = text.IndexOf((byte)'?');
            _links.Add(new ContentLink(target, Rel(ref key), isNested, query < 0 ? null : Encoding.UTF8.GetString(text[query..])));
            return;
        }

        // Blobs embedded in text, which old clients did not repeat in mentions.
        const int suffixAt = BlobId.TextLength - 7;
        for (var at = text.IndexOf(".sha256"u8); at >= 0;)
        {
            if (at >= suffixAt && BlobId.TryParse(text.Slice(at - suffixAt, BlobId.TextLength), out var blob))
            {
                _links.Add(new ContentLink(new LinkTarget(blob), Rel(ref key), IsNested: true));
            }

            var next = text[(at + 1)..].IndexOf(".sha256"u8);
            at = next < 0 ? -1 : at + 1 + next;
        }
    }

    private static bool TryLink(ref Utf8JsonReader reader, out LinkTarget target)
    {
        if (!reader.ValueIsEscaped)
        {
            return LinkTarget.TryParse(reader.ValueSpan, out target);
        }

        target = default;
        return Text(ref reader) is { Length: <= 256 } text && LinkTarget.TryParse(text, out target);
    }

    private static string Rel(ref Utf8JsonReader key)
    {
        foreach (var (utf8, text) in UsualRels)
        {
            if (CanonicalName.Is(key, utf8))
            {
                return text;
            }
        }

        return Text(ref key) ?? "";
    }

    /// <summary>The text that the reader stands on; null when it has half a surrogate pair, which JSON may have and text may not.</summary>
    private static string? Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static bool IsTruthy(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.True or JsonTokenType.StartObject or JsonTokenType.StartArray => true,
        JsonTokenType.Number => reader.GetDouble() != 0,
        JsonTokenType.String => reader.ValueSpan.Length > 0,
        _ => false,
    };
}
