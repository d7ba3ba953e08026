using System.Diagnostics.CodeAnalysis;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Views;

/// <summary>What a link in a message's content points to: a feed, a message or a blob.</summary>
public readonly record struct LinkTarget
{
    private readonly Bytes32 _bytes;

    /// <summary>A feed.</summary>
    public LinkTarget(FeedId feed)
        : this('@', feed.Bytes)
    {
    }

    /// <summary>A message.</summary>
    public LinkTarget(MessageId message)
        : this('%', message.Bytes)
    {
    }

    /// <summary>A blob.</summary>
    public LinkTarget(BlobId blob)
        : this('&', blob.Bytes)
    {
    }

    private LinkTarget(char sigil, Bytes32 bytes)
    {
        Sigil = sigil;
        _bytes = bytes;
    }

    /// <summary><c>@</c>, <c>%</c> or <c>&amp;</c>.</summary>
    public char Sigil { get; }

    /// <summary>The 32 bytes inside the id.</summary>
    public Bytes32 Bytes => _bytes;

    /// <summary>True when this is a feed.</summary>
    public bool IsFeed([MaybeNullWhen(false)] out FeedId feed)
    {
        feed = new FeedId(_bytes);
        return Sigil == '@';
    }

    /// <summary>True when this is a message.</summary>
    public bool IsMessage([MaybeNullWhen(false)] out MessageId message)
    {
        message = new MessageId(_bytes);
        return Sigil == '%';
    }

    /// <summary>True when this is a blob.</summary>
    public bool IsBlob([MaybeNullWhen(false)] out BlobId blob)
    {
        blob = new BlobId(_bytes);
        return Sigil == '&';
    }

    /// <summary>Reads an id of any kind from UTF-8; what follows a question mark (as in <c>&amp;...?unbox=...</c>) is left out. Source: ssb-ref, isLink.</summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out LinkTarget target)
    {
        target = default;
        if (utf8.Length < BlobId.TextLength)
        {
            return false;
        }

        switch (utf8[0])
        {
            case (byte)'@' when FeedId.TryParse(Before(utf8, FeedId.TextLength), out var feed):
                target = new LinkTarget(feed);
                return true;
            case (byte)'%' when MessageId.TryParse(Before(utf8, MessageId.TextLength), out var message):
                target = new LinkTarget(message);
                return true;
            case (byte)'&' when BlobId.TryParse(Before(utf8, BlobId.TextLength), out var blob):
                target = new LinkTarget(blob);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Reads an id of any kind from text.</summary>
    public static bool TryParse(string text, out LinkTarget target)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(System.Text.Encoding.UTF8.GetBytes(text), out target);
    }

    /// <inheritdoc/>
    public override string ToString() => Sigil switch
    {
        '@' => new FeedId(_bytes).ToString(),
        '%' => new MessageId(_bytes).ToString(),
        '&' => new BlobId(_bytes).ToString(),
        _ => "",
    };

    private static ReadOnlySpan<byte> Before(ReadOnlySpan<byte> utf8, int length) =>
        utf8.Length > length && utf8[length] == (byte)'?' ? utf8[..length] : utf8;
}
